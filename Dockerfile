FROM node:24-slim AS pages
WORKDIR /src
COPY package.json package-lock.json ./
COPY tests/clients/package.json tests/clients/
COPY web web
RUN npm ci --no-audit --no-fund && npm run build --workspace boardcast-board --workspace boardcast-console

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/boardcast
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE boardcast.py ./
COPY db db
COPY feed feed
COPY api api
COPY cli cli
COPY --from=pages /src/api/static api/static
RUN /opt/boardcast/bin/pip install -c constraints.txt . && /opt/boardcast/bin/pip uninstall --yes pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home boardcast
COPY --from=build /opt/boardcast /opt/boardcast
ENV PATH=/opt/boardcast/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BOARDCAST_HOST=0.0.0.0 \
    LOG_FORMAT=json
USER 10001
WORKDIR /home/boardcast
EXPOSE 8000 8001
ENTRYPOINT ["boardcast"]
