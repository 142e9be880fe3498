using EgressAppliance.Capture;
using EgressAppliance.Cluster.Broker;
using EgressAppliance.Cluster.Deltas;
using EgressAppliance.Cluster.Merge;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Flow;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Pipeline;
using EgressAppliance.Host.Steering;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Traffic;

/// <summary>
/// What a box of a role has its traffic from, and where it sends it: a data path of its own, whose counts a collector passes on; or, of a controller, the collectors.
/// </summary>
public sealed class TrafficParts
{
    private TrafficParts(ITrafficSource source) => Source = source;

    /// <summary>What the control loop reads.</summary>
    public ITrafficSource Source { get; }

    /// <summary>The data path; null on a controller.</summary>
    public ICapturePipeline? Pipeline { get; private init; }

    /// <summary>Flow export, or null.</summary>
    public Func<FlowReading>? Flow { get; private init; }

    /// <summary>When cycles run; null: by the configured period.</summary>
    public ICycleTimer? Timer { get; private init; }

    /// <summary>Of a collector: sends what a cycle read.</summary>
    public DeltaTap? Tap { get; private init; }

    /// <summary>Of a collector: the way to the controllers.</summary>
    public DeltaPublisher? Publisher { get; private init; }

    /// <summary>Of a controller: the ear for the collectors.</summary>
    public DeltaConsumer? Consumer { get; private init; }

    /// <summary>Of a controller: what puts their counts together.</summary>
    public SiteMerger? Merger { get; private init; }

    /// <summary>Makes them and starts them, but for what needs the control loop.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="table">Where prefix ids come from.</param>
    /// <param name="interfaces">The links' interfaces.</param>
    /// <param name="given">Capture sources to use in place of those of the configuration.</param>
    /// <param name="own">Takes what must be disposed.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="time">The clock.</param>
    public static TrafficParts Start(
        ApplianceConfig config, PrefixTable table, Func<IReadOnlyList<InterfaceState>> interfaces, IReadOnlyList<IPacketSource>? given, Action<object> own, ILoggerFactory loggers, TimeProvider time)
    {
        if (config.Role == ApplianceRole.Controller)
        {
            SiteMerger merger = new(SiteTraffic.OptionsFrom(config), time);
            DeltaConsumer consumer = new(Broker(config), delta => merger.Add(delta, time.GetTimestamp()), time, loggers.CreateLogger<DeltaConsumer>());
            own(consumer);
            consumer.Start();
            return new TrafficParts(new SiteTraffic(merger, config, time))
            {
                Merger = merger,
                Consumer = consumer,
                Timer = new SiteCycles(merger, config.Decision.Cycle, config.Cluster!.Grace, time),
            };
        }

        (ICapturePipeline pipeline, FlowPipeline? flow) = StartPipeline(config, table, interfaces, given, own, time);
        LocalTraffic local = new(pipeline, table, config);
        if (config.Role == ApplianceRole.All)
        {
            return new TrafficParts(local) { Pipeline = pipeline, Flow = flow is null ? null : flow.Read };
        }

        DeltaPublisher publisher = new(Broker(config), time, loggers.CreateLogger<DeltaPublisher>());
        own(publisher);
        publisher.Start();
        DeltaTap tap = new(local, config, publisher.Publish, () => publisher.Status.Dropped, time);
        return new TrafficParts(tap)
        {
            Pipeline = pipeline,
            Flow = flow is null ? null : flow.Read,
            Tap = tap,
            Publisher = publisher,
            Timer = new AlignedCycles(config.Decision.Cycle, time),
        };
    }

    private static (ICapturePipeline Pipeline, FlowPipeline? Flow) StartPipeline(
        ApplianceConfig config, PrefixTable table, Func<IReadOnlyList<InterfaceState>> interfaces, IReadOnlyList<IPacketSource>? given, Action<object> own, TimeProvider time)
    {
        IReadOnlyList<IPacketSource> sources = given ?? CaptureSources.Open(config.Capture);
        foreach (IPacketSource source in sources)
        {
            own(source);
        }

        bool live = given is not null || config.Capture.Sources.Any(s => s.Backend != CaptureBackend.PcapFile);
        CapturePipeline? capture = null;
        if (sources.Count > 0)
        {
            capture = new CapturePipeline(CaptureSources.ToPipelineOptions(config, sources.Count, live), sources, table.Lookup, time);
            own(capture);
        }

        FlowPipeline? flow = null;
        if (config.Flow is not null)
        {
            FlowCollector collector = new(config, table, interfaces, time);
            flow = new FlowPipeline(capture, collector, new FlowReceiver(config.Flow, collector), time);
            own(flow);
        }

        ICapturePipeline pipeline = flow ?? (ICapturePipeline?)capture ?? throw new InvalidOperationException("The configuration has neither capture nor flow export.");

        // At once: an open ring fills whether it is read or not.
        pipeline.Start();
        return (pipeline, flow);
    }

    private static BrokerOptions Broker(ApplianceConfig config)
    {
        ClusterConfig cluster = config.Cluster ?? throw new InvalidOperationException("The configuration has no cluster.");
        return new BrokerOptions
        {
            Site = config.Site,
            Box = config.Box,
            Brokers = cluster.Brokers,
            VirtualHost = cluster.VirtualHost,
            User = cluster.User,
            Password = cluster.Password ?? "",
            Tls = cluster.Tls is { } tls ? new BrokerTls { CaFile = tls.CaFile, CertificateFile = tls.CertificateFile, KeyFile = tls.KeyFile } : null,
            MaxBufferedTicks = Math.Max(1, (int)(cluster.Buffer / config.Decision.Cycle)),
            MaxBufferedBytes = cluster.BufferBytes,
        };
    }
}
