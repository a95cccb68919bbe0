'use strict';
// A fatal error of Node itself, that is no lack of memory.
process.on('exit', () => {});
const { internalBinding } = require('internal/test/binding');
const { triggerUncaughtException } = internalBinding('errors');
const fatal = internalBinding('errors').setPrepareStackTraceCallback;
internalBinding('async_wrap').popAsyncContext(-17);
