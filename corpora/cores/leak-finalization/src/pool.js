class Connection { constructor(id) { this.id = id; this.buffer = Array.from({ length: 30 }, (_, i) => i * id); } }
const registry = new FinalizationRegistry((connection) => connection.closed = true);
const handles = [];
exports.Pool = class Pool {
  acquire(id) { const connection = new Connection(id); const handle = { id, connectionId: id }; registry.register(handle, connection); handles.push(handle); return handle; }
};
