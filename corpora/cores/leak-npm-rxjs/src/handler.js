const { map, distinctUntilChanged } = require('rxjs');
class QuoteSession { constructor(request) { this.request = request; this.quotes = new Array(50).fill(0).map((_, i) => ({ i, price: i * 1.1 })); } update(p) { this.quotes.push(p); } }
exports.handle = function handle(feed, request) {
  const session = new QuoteSession(request);
  feed.prices$.pipe(map((p) => p[request.symbol]), distinctUntilChanged()).subscribe((p) => { if (p) session.update(p); });
  return session.quotes.length;
};
