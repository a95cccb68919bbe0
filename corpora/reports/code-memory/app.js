'use strict';
// A validator is compiled for each request, and all of them are kept.
const validators = [];
function compile(id) {
    const checks = Array.from({ length: 150 }, (_, i) => `if (typeof o.f${i} !== 'string' || o.f${i}.length > ${i}) n += ${i} + o.g${i};`);
    return new Function('o', `let n = ${id};\n${checks.join('\n')}\nreturn n;`);
}
for (let i = 0; i < 2000; i++) {
    const validator = compile(i);
    validator({});
    validators.push(validator);
}
process.report.writeReport('report.json');
