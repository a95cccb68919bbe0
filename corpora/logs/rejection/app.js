'use strict';
async function loadUser(id) { throw new TypeError('no user ' + id); }
async function main() { await loadUser(7); }
main();
