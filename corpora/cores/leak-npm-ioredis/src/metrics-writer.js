const Redis = require('ioredis');
class MetricsWriter {
  constructor() {
    this.client = new Redis({ host: '127.0.0.1', port: 1, maxRetriesPerRequest: null, retryStrategy: () => 1000 });
    this.client.on('error', () => {});
  }
  write(point) { this.client.lpush('points', JSON.stringify(point)).catch(() => {}); }
}
exports.MetricsWriter = MetricsWriter;
