#include <node_api.h>

static napi_value check(napi_env, napi_callback_info) {
    napi_fatal_error("stock.cc:check", NAPI_AUTO_LENGTH, "the count of an item is negative", NAPI_AUTO_LENGTH);
}

NAPI_MODULE_INIT() {
    napi_value function;
    napi_create_function(env, "check", NAPI_AUTO_LENGTH, check, nullptr, &function);
    napi_set_named_property(env, exports, "check", function);
    return exports;
}
