const { BehaviorSubject } = require('rxjs');
exports.PriceFeed = class PriceFeed { constructor() { this.prices$ = new BehaviorSubject({}); } tick(p) { this.prices$.next(p); } };
