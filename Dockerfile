FROM node:24-slim AS board
WORKDIR /src
COPY package.json package-lock.json ./
COPY tests/clients/package.json tests/clients/
COPY feed/client feed/client
COPY api/board api/board
RUN npm ci --no-audit --no-fund && npm run build --workspace boardcast-board

