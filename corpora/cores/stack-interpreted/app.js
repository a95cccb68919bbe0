'use strict';

// Deep mutual recursion in the interpreter: a parser meets a letter twenty parentheses down.
const { parse } = require('./parser');

console.log(parse('1+2*(3+4)'));
parse('1+(2*'.repeat(20) + 'x' + ')'.repeat(20));
