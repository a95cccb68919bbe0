const { MetricsWriter } = require('./src/metrics-writer');
const writer = new MetricsWriter();
let n = 0;
setInterval(() => { for (let i = 0; i < 2000; i++) writer.write({ name: 'http.latency', value: n, tags: { route: '/r' + (n % 20), id: n++ } }); }, 5);
