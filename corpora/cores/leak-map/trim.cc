// trim() - gives the memory back that malloc holds for later: V8's snapshot writer needs several times the heap, and
// without this the core would be that large.
#include <malloc.h>
#include <node_api.h>

static napi_value trim(napi_env, napi_callback_info) {
    malloc_trim(0);
    return nullptr;
}

NAPI_MODULE_INIT() {
    napi_value function;
    napi_create_function(env, "trim", NAPI_AUTO_LENGTH, trim, nullptr, &function);
    return function;
}
