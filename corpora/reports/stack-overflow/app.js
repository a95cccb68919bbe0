'use strict';
// Recursion without an end.
function visit(node) { return visit(node.next || node) + 1; }
setTimeout(() => visit({}), 5);
