import { catalog, metrics, recent } from './platform/index.js';
import { isDuplicate } from './deduplicator.mjs';

export class Consumer {
  received = 0;
  totals = new Map();

  receive(raw) {
    this.received++;
    const message = JSON.parse(raw);
    if (isDuplicate(message)) return;
    const product = catalog.at(message.order);
    this.totals.set(message.kind, (this.totals.get(message.kind) ?? 0) + product.price * message.pieces);
    recent.push(message);
    metrics.observe(message.kind, message.pieces);
  }
}
