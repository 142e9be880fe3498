using System.Runtime.Versioning;

// Each test builds its own network and spends most of its time waiting for timers: four at a time, and those that cannot share the machine one by one (Alone).
[assembly: CollectionBehavior(MaxParallelThreads = 4)]

// Network namespaces; elsewhere every test skips itself.
[assembly: SupportedOSPlatform("linux")]
