import { catalog, metrics, recent } from './platform/index.js';
import { isDuplicate } from './deduplicator.mjs';

export class Consumer {
  received = 0;
  totals = new Map();

  receive(raw) {
    this.received++;
    const message = { id: raw.toString('latin1', 0, 36), ...JSON.parse(raw.toString('utf8', 36)) };
    if (isDuplicate(message)) return;
    const product = catalog.at(message.order);
    this.totals.set(message.kind, (this.totals.get(message.kind) ?? 0) + product.price * message.pieces);
    recent.push(message);
    metrics.observe(message.kind, message.pieces);
  }
}
