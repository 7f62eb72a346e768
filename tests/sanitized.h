/* sanitized.h -- is this built with a sanitizer that has memory of its own?
 *
 * The address and the thread sanitizer keep malloc for themselves, make mlock do
 * nothing, and cannot follow a threaded process into its forked child. */
#ifndef SANITIZED_H
#define SANITIZED_H

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED_ADDRESS true
#endif
#if __has_feature(thread_sanitizer)
#define SANITIZED_THREAD true
#endif
#endif
#if defined __SANITIZE_ADDRESS__ && !defined SANITIZED_ADDRESS
#define SANITIZED_ADDRESS true
#endif
#if defined __SANITIZE_THREAD__ && !defined SANITIZED_THREAD
#define SANITIZED_THREAD true
#endif
#ifndef SANITIZED_ADDRESS
#define SANITIZED_ADDRESS false
#endif
#ifndef SANITIZED_THREAD
#define SANITIZED_THREAD false
#endif

#define SANITIZED (SANITIZED_ADDRESS || SANITIZED_THREAD)

#endif
