class Broker {
  constructor() { this.waiters = {}; }
  async *subscribe(topic) {
    const seen = Array.from({ length: 100 }, (_, i) => i + topic);
    while (true) {
      const message = await new Promise((resolve) => { (this.waiters[topic] ??= []).push(resolve); });
      seen.push(message);
      yield message;
    }
  }
  publish(topic, message) { const w = this.waiters[topic] || []; this.waiters[topic] = w.slice(1); w[0]?.(message); }
}
exports.Broker = Broker;
