FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/boardcast
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE boardcast.py ./
COPY db db
COPY feed feed
COPY api api
RUN /opt/boardcast/bin/pip install -c constraints.txt .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home boardcast
COPY --from=build /opt/boardcast /opt/boardcast
ENV PATH=/opt/boardcast/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BOARDCAST_HOST=0.0.0.0 \
    LOG_FORMAT=json
USER 10001
WORKDIR /home/boardcast
EXPOSE 8000 8001
ENTRYPOINT ["boardcast"]
