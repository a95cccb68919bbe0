class Visit { constructor(o) { Object.assign(this, o); this.at = new Date(); this.trail = new Array(20).fill(o.url); } }
exports.Tracker = class Tracker { constructor(registry) { this.registry = registry; } visit(o) { this.registry.put(new Visit(o)); } };
