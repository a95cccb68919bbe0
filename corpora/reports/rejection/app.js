'use strict';
// A promise that nobody catches.
async function loadOrder(id) {
    await null;
    throw new Error('order ' + id + ' not found');
}
async function main() {
    await loadOrder(17);
}
main();
