# The service with its embedding model already exported, so that a container starts in seconds and needs no network.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY memory_service memory_service
COPY retrieval retrieval
COPY migrations migrations
# torch is needed once, to export the model, and is left behind in this stage.
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir 'torch==2.13.0' \
 && /venv/bin/pip install --no-cache-dir '.[server,otel]'
ENV MEMORY_MODEL_DIR=/models
RUN /venv/bin/python -c "from pathlib import Path; from retrieval.embedders.resolve import load_embedder; load_embedder('minilm', Path('/models'))" \
 && /venv/bin/pip uninstall -y torch sentence-transformers transformers scikit-learn scipy

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data memory && install -d -o memory -g memory -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /models /models
USER memory
ENV PATH=/venv/bin:$PATH MEMORY_DATA_DIR=/data MEMORY_MODEL_DIR=/models MEMORY_HOST=0.0.0.0 MEMORY_PORT=8090
VOLUME /data
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8090/readyz', timeout=2)"]
ENTRYPOINT ["memory-service"]
CMD ["serve"]
