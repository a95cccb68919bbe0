class Registry { constructor() { this.visits = {}; } put(v) { (this.visits[v.session] ||= []).push(v); } }
exports.Registry = Registry;
