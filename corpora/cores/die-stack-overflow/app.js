// Recursion over a long linked list, with a --stack-size that is larger than the stack of the thread.
let list = {};
for (let i = 0; i < 3e6; i++) list = { next: list };

function depth(node) {
    return node.next ? 1 + depth(node.next) : 1;
}

console.log(depth(list));
