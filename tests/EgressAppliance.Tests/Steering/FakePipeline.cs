using EgressAppliance.Capture;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Net;

namespace EgressAppliance.Tests.Steering;

/// <summary>A data path whose counters are what the test says.</summary>
internal sealed class FakePipeline(TimeProvider time) : ICapturePipeline
{
    private readonly List<CounterCell> _cells = [];

    public PipelineStatistics Statistics { get; set; } = new() { Sources = new Dictionary<string, SourceStatistics> { ["mirror0"] = default } };

    /// <summary>Runs at the beginning of each snapshot.</summary>
    public Action? OnSnapshot { get; set; }

    /// <summary>Rules given, oldest first.</summary>
    public List<IReadOnlyList<LinkMatch>> Rules { get; } = [];

    public Task Completion => Task.CompletedTask;

    public void Start()
    {
    }

    /// <summary>Counts packets; the next snapshot has them.</summary>
    public void Count(uint prefixId, ushort link, long packets, long ipBytes, string source = "mirror0", double? sampling = null)
    {
        _cells.Add(new CounterCell(prefixId, new LinkId(link), packets, ipBytes) { Sampling = sampling });
        if (sampling is not null)
        {
            // Flow export: no frames of capture.
            return;
        }

        Dictionary<string, SourceStatistics> sources = new(Statistics.Sources);
        SourceStatistics before = sources.GetValueOrDefault(source);
        sources[source] = before with { ReceivedFrames = before.ReceivedFrames + packets };
        Statistics = Statistics with
        {
            Frames = Statistics.Frames + packets,
            Packets = Statistics.Packets + packets,
            IpBytes = Statistics.IpBytes + ipBytes,
            Sources = sources,
        };
    }

    public void SetSource(string name, Func<SourceStatistics, SourceStatistics> change) => Statistics = Statistics with
    {
        Sources = new Dictionary<string, SourceStatistics>(Statistics.Sources) { [name] = change(Statistics.Sources.GetValueOrDefault(name)) },
    };

    public void SetLinks(IReadOnlyList<LinkMatch> rules) => Rules.Add(rules);

    public CounterSnapshot TakeSnapshot()
    {
        OnSnapshot?.Invoke();
        CounterCell[] cells = [.. _cells];
        _cells.Clear();
        return new CounterSnapshot { Timestamp = time.GetTimestamp(), Cells = cells, Statistics = Statistics };
    }

    public PipelineStatistics GetStatistics() => Statistics;

    public IReadOnlyList<ThreadPulse> ReadPulses() => [];

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
