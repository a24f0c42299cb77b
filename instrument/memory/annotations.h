/* annotations.h - what programs tell race detectors of themselves: the Annotate* functions that
 * many projects share, and the accesses of <sanitizer/common_interface_defs.h>.
 *
 * X(name, parameters, meaning): in annotations.c under heddle, in native_hooks.c with no meaning.
 */
#ifndef HEDDLE_ANNOTATIONS_H
#define HEDDLE_ANNOTATIONS_H

#define AT const char *file, int line
#define WHERE AT, const volatile void *p

#define HDI_ANNOTATIONS(X)                                                                         \
    X(AnnotateHappensBefore, (WHERE), sent(p))                                                     \
    X(AnnotateHappensAfter, (WHERE), received(p))                                                  \
    X(WTFAnnotateHappensBefore, (WHERE), sent(p))                                                  \
    X(WTFAnnotateHappensAfter, (WHERE), received(p))                                               \
    X(AnnotateCondVarSignal, (WHERE), sent(p))                                                     \
    X(AnnotateCondVarSignalAll, (WHERE), sent(p))                                                  \
    X(AnnotateCondVarWait, (WHERE, const volatile void *lock), received(p))                        \
    X(AnnotateMutexIsUsedAsCondVar, (WHERE), )                                                     \
    X(AnnotateMutexIsNotPHB, (WHERE), )                                                            \
    X(AnnotatePublishMemoryRange, (WHERE, unsigned long bytes), )                                  \
    X(AnnotateUnpublishMemoryRange, (WHERE, unsigned long bytes), )                                \
    X(AnnotateRWLockCreate, (WHERE), )                                                             \
    X(AnnotateRWLockCreateStatic, (WHERE), )                                                       \
    X(AnnotateRWLockDestroy, (WHERE), )                                                            \
    X(AnnotateRWLockAcquired, (WHERE, long writes), taken(p))                                      \
    X(AnnotateRWLockReleased, (WHERE, long writes), given_back(p))                                 \
    X(AnnotateNewMemory, (WHERE, unsigned long bytes), new_memory(p, bytes))                       \
    X(AnnotateBenignRace, (WHERE, const char *why), heddle_rt_benign_race(p, 1))                   \
    X(AnnotateBenignRaceSized, (WHERE, unsigned long bytes, const char *why),                      \
      heddle_rt_benign_race(p, bytes))                                                             \
    X(WTFAnnotateBenignRaceSized, (WHERE, unsigned long bytes, const char *why),                   \
      heddle_rt_benign_race(p, bytes))                                                             \
    X(AnnotateIgnoreReadsBegin, (AT), ignore(1, 0))                                                \
    X(AnnotateIgnoreReadsEnd, (AT), ignore(-1, 0))                                                 \
    X(AnnotateIgnoreWritesBegin, (AT), ignore(0, 1))                                               \
    X(AnnotateIgnoreWritesEnd, (AT), ignore(0, -1))                                                \
    X(AnnotateEnableRaceDetection, (AT, int on), ignore(on ? -1 : 1, on ? -1 : 1))                 \
    X(AnnotateIgnoreSyncBegin, (AT), )                                                             \
    X(AnnotateIgnoreSyncEnd, (AT), )                                                               \
    X(AnnotateFlushState, (AT), )                                                                  \
    X(AnnotateFlushExpectedRaces, (AT), )                                                          \
    X(AnnotateExpectRace, (WHERE, const char *why), )                                              \
    X(AnnotateTraceMemory, (WHERE), )                                                              \
    X(AnnotateThreadName, (AT, const char *name), )                                                \
    X(AnnotateNoOp, (WHERE), )                                                                     \
    X(AnnotateMemoryIsInitialized, (WHERE, unsigned long bytes), )                                 \
    X(AnnotateMemoryIsUninitialized, (WHERE, unsigned long bytes), )

/* X(bits, type): loads and stores at any address. */
#define HDI_UNALIGNED(X) X(16, uint16_t) X(32, uint32_t) X(64, uint64_t)

#endif /* HEDDLE_ANNOTATIONS_H */
