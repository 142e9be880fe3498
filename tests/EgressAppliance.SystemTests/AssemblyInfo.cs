using System.Runtime.Versioning;

// Each test builds its own network and measures times and rates on the same few cores: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true, MaxParallelThreads = 1)]

// Network namespaces; elsewhere every test skips itself.
[assembly: SupportedOSPlatform("linux")]
