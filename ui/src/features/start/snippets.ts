/** What to install and set for each agent, with this server's own address filled in. */

export interface Snippet {
  id: string;
  title: string;
  blocks: readonly { label?: string; code: string }[];
}

export function snippets(url: string, secretNeeded: boolean, texts: { any: string; curl: string }): Snippet[] {
  const secret = '<secret>';
  const env = (lines: string[]) => lines.join('\n');
  const secretLine = (line: string) => (secretNeeded ? [line] : []);
  const metadata = '{"metadata":{"service":{"name":"curl-test","agent":{"name":"curl","version":"1"}}}}';
  return [
    {
      id: 'python',
      title: 'Python',
      blocks: [
        { code: 'pip install elastic-apm' },
        {
          label: 'app.py',
          code: env([
            'import elasticapm',
            '',
            'apm = elasticapm.Client(',
            '    service_name="my-app",',
            `    server_url="${url}",`,
            ...secretLine(`    secret_token="${secret}",`),
            ')',
            'elasticapm.instrument()',
            '',
            'apm.begin_transaction("user-query")',
            '# … call your model and your search here …',
            'apm.end_transaction("user-query", "success")',
          ]),
        },
      ],
    },
    {
      id: 'node',
      title: 'Node.js',
      blocks: [
        { code: 'npm install elastic-apm-node' },
        {
          code: env([
            `ELASTIC_APM_SERVER_URL=${url} \\`,
            ...secretLine(`ELASTIC_APM_SECRET_TOKEN='${secret}' \\`),
            'ELASTIC_APM_SERVICE_NAME=my-app \\',
            'node --require elastic-apm-node/start.js app.js',
          ]),
        },
      ],
    },
    {
      id: 'java',
      title: 'Java',
      blocks: [
        {
          code: env([
            'java -javaagent:elastic-apm-agent.jar \\',
            '  -Delastic.apm.service_name=my-app \\',
            ...secretLine(`  -Delastic.apm.secret_token='${secret}' \\`),
            `  -Delastic.apm.server_url=${url} \\`,
            '  -jar app.jar',
          ]),
        },
      ],
    },
    {
      id: 'go',
      title: 'Go',
      blocks: [
        { code: 'go get go.elastic.co/apm/module/apmhttp/v2' },
        { label: 'main.go', code: 'http.ListenAndServe(":8080", apmhttp.Wrap(mux))' },
        {
          code: env([
            `export ELASTIC_APM_SERVER_URL=${url}`,
            ...secretLine(`export ELASTIC_APM_SECRET_TOKEN='${secret}'`),
            'export ELASTIC_APM_SERVICE_NAME=my-app',
          ]),
        },
      ],
    },
    {
      id: 'rust',
      title: 'Rust',
      blocks: [
        { code: 'cargo add tokenfall-agent --path <Tokenfall>/crates/tokenfall-agent' },
        {
          label: 'main.rs',
          code: env([
            'let agent = tokenfall_agent::Agent::builder()',
            '    .service_name("my-app")',
            `    .server_url("${url}")`,
            ...secretLine(`    .secret_token("${secret}")`),
            '    .start();',
            'let transaction = agent.begin_transaction("user-query", "request");',
            '// … call your model and your search here …',
            'transaction.end();',
          ]),
        },
      ],
    },
    {
      id: 'any',
      title: texts.any,
      blocks: [{ code: env([`ELASTIC_APM_SERVER_URL=${url}`, ...secretLine(`ELASTIC_APM_SECRET_TOKEN=${secret}`)]) }],
    },
    {
      id: 'curl',
      title: texts.curl,
      blocks: [
        {
          code: env([
            'NOW=$(date +%s)000000; ID=$(od -An -N16 -tx1 /dev/urandom | tr -d " \\n")',
            `curl -i ${url}/intake/v2/events \\`,
            ...secretLine(`  -H 'Authorization: Bearer ${secret}' \\`),
            "  -H 'Content-Type: application/x-ndjson' --data-binary @- <<EOF",
            metadata,
            '{"transaction":{"id":"$(echo $ID | cut -c1-16)","trace_id":"$ID","name":"GET /hello","type":"request","duration":32.5,"timestamp":$NOW,"outcome":"success","span_count":{"started":0}}}',
            'EOF',
          ]),
        },
      ],
    },
  ];
}
