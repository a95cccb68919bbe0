class Poller {
  constructor() { this.stopped = new Promise((resolve) => { this.stop = resolve; }); }
  async poll(n) { const reply = this.fetch(n); return Promise.race([reply, this.stopped]); }
  async fetch(n) { return { n, body: new Array(20).fill(n) }; }
}
exports.Poller = Poller;
