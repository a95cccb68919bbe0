'use strict';
// Sessions are cached and never deleted: the old space fills until the heap limit is reached.
const cache = new Map();
function handleRequest(id) {
    cache.set(id, { id, user: 'user-' + id, seen: [id, id + 1, id + 2, id + 3], notes: { text: 'n' + id } });
}
let id = 0;
setImmediate(function pump() {
    for (let i = 0; i < 10000; i++) handleRequest(id++);
    setImmediate(pump);
});
