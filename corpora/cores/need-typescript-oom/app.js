'use strict';

// TypeScript's own command line on a generated project, with less memory than it needs.
const { generateProject } = require('./src/generate');

generateProject('project', 800);
process.argv.push('--project', 'project');
require('typescript/lib/tsc.js');
