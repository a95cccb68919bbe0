'use strict';

// Deep mutual recursion in baseline (Sparkplug) code.
const { parse } = require('./parser');

for (let i = 0; i < 1000; i++) parse('1+2*(3+4)');
parse('1+(2*'.repeat(20) + 'x' + ')'.repeat(20));
