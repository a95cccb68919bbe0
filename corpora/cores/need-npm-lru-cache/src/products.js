const { LRUCache } = require('lru-cache'); class Product { constructor(id) { this.id = id; this.price = 1; this.tags = ['a' + id, 'b']; this.more = { x: new Array(10).fill(id) }; } }
const cache = new LRUCache({ max: 20000 });
exports.lookup = (id) => { let p = cache.get(id); if (!p) cache.set(id, p = new Product(id)); return p; };
