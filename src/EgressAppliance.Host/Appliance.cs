using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Speaker;
using EgressAppliance.Capture;
using EgressAppliance.Cluster.Leases;
using EgressAppliance.Cluster.Store;
using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.History;
using EgressAppliance.Host.History.Sinks;
using EgressAppliance.Host.History.Store;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Host.Leadership;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Host.Steering;
using EgressAppliance.Host.Systemd;
using EgressAppliance.Host.Telemetry;
using EgressAppliance.Host.Traffic;
using EgressAppliance.Net;

namespace EgressAppliance.Host;

/// <summary>
/// The running appliance: the one place where the modules meet.
/// </summary>
/// <remarks>
/// <code>
/// sources ─► CapturePipeline ─┐
/// exporters ─► FlowReceiver ──┤     of a collector ─► DeltaTap ─► broker;  of a controller, in place of both: broker ─► SiteMerger
/// InterfaceCollector ─────────┼─► InputCollector ─► SteeringLoop ─► RouteInstaller ─► BgpSpeaker ─► routers
/// BgpSpeaker ─► PrefixTable ──┘          │
/// BmpStation ─► BgpSpeaker               ├─► StateBuilder ─► ApplianceApi ─► ApiServer
///                                        └─► JournalWriter, BillingFile, HistoryRecorder
/// </code>
/// Everything is started in the direction of the data and stopped against it: steering first, which withdraws all overrides while the
/// sessions are still up, then the speaker, then what feeds them.
/// </remarks>
public sealed class Appliance : IAsyncDisposable
{
    /// <summary>Without a cycle for so long, and for three periods, the control loop hangs: by then overrides have lost their leases.</summary>
    private static readonly TimeSpan LongestCycle = TimeSpan.FromSeconds(30);

    /// <summary>Threads of the data path come round many times a second.</summary>
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(10);

    private readonly Stack<IAsyncDisposable> _parts = new();
    private readonly SystemdNotifier _systemd = new();
    private Task _pipelineDone = Task.CompletedTask;
    private TrafficParts _traffic = null!;
    private SteeringLoop _loop = null!;

    private Appliance()
    {
    }

    /// <summary>What the HTTP endpoint serves.</summary>
    public ApplianceApi Api { get; private set; } = null!;

    /// <summary>Port of the HTTP endpoint.</summary>
    public int HttpPort { get; private set; }

    /// <summary>IP packets that the data path has counted since start.</summary>
    public long CountedPackets => _traffic.Pipeline?.GetStatistics().Packets ?? 0;

    /// <summary>Faults if the control loop or the data path fails; otherwise runs until the appliance is disposed.</summary>
    public Task Completion => Task.WhenAny(_loop.Completion, FailureOfAsync(_pipelineDone)).Unwrap();

    /// <summary>Starts everything.</summary>
    /// <param name="config">The checked configuration.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="time">The clock.</param>
    /// <param name="sources">Capture sources to use in place of those of the configuration, for the demo; disposed with the appliance.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="CaptureException">A capture source cannot be opened.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">An address for BGP cannot be listened on.</exception>
    /// <exception cref="IOException">The address of the HTTP endpoint, or one for flow export, is taken.</exception>
    public static async Task<Appliance> StartAsync(
        ApplianceConfig config, ILoggerFactory loggers, TimeProvider time, IReadOnlyList<IPacketSource>? sources, CancellationToken cancellationToken)
    {
        Appliance appliance = new();
        try
        {
            await appliance.BuildAsync(config, loggers, time, sources, cancellationToken);
            return appliance;
        }
        catch
        {
            await appliance.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _systemd.Stopping();
        List<Exception> failures = [];
        while (_parts.TryPop(out IAsyncDisposable? part))
        {
            try
            {
                await part.DisposeAsync();
            }
            catch (Exception e)
            {
                // The parts behind it must stop all the same: steering withdraws what it announced.
                failures.Add(e);
            }
        }

        _systemd.Dispose();
        if (failures.Count > 0)
        {
            throw new AggregateException("Parts of the appliance did not stop in order.", failures);
        }
    }

    private static async Task FailureOfAsync(Task task)
    {
        await task;

        // A data path that ended in order (capture files) leaves the appliance up to be looked at.
        await Task.Delay(Timeout.Infinite);
    }

    private async Task BuildAsync(
        ApplianceConfig config, ILoggerFactory loggers, TimeProvider time, IReadOnlyList<IPacketSource>? given, CancellationToken cancellationToken)
    {
        LinkDirectory links = new(config.Links);
        PrefixTable table = Own(new PrefixTable());

        InterfaceCollector interfaces =
            Own(new InterfaceCollector(config.Routers, config.Links, time, loggers.CreateLogger<InterfaceCollector>()));
        _traffic = TrafficParts.Start(config, table, interfaces.GetLinks, given, part => Own(part), loggers, time);
        _pipelineDone = _traffic.Pipeline?.Completion ?? Task.CompletedTask;
        SiteLeadership? site = config.Role == ApplianceRole.Controller ? MakeLeadership(config, loggers, time) : null;
        ILeadership leadership = site ?? (config.Role == ApplianceRole.Collector ? NoLeadership.Instance : (ILeadership)SoleLeadership.Instance);
        BgpSpeaker speaker = Own(new BgpSpeaker(SpeakerOptions.From(config, links) with { MayAnnounce = site is null ? null : () => site.MayAnnounce }, null, time, loggers, table));
        BmpStation? station = MonitoringOptions.From(config) is { } monitored ? Own(new BmpStation(monitored, speaker.Monitor, time, loggers)) : null;

        SteadyClock clock = new(time);
        RouteInstaller installer = new(speaker, links, loggers.CreateLogger<RouteInstaller>());
        InputCollector inputs = new(config, _traffic.Source, interfaces.GetLinks, interfaces.GetRouters, speaker, links, clock, _traffic.Flow);
        JournalWriter? journal = JournalOptions.From(config.History) is { } kept ? Own(new JournalWriter(kept, time, loggers.CreateLogger<JournalWriter>())) : null;
        ILogger<BillingFile> billingLog = loggers.CreateLogger<BillingFile>();
        string? billingPath = config.Links.Any(l => l.PricePerMbit is not null) ? config.History.BillingFile : null;
        HistoryRecorder? history = StartHistory(config, links, speaker, time, loggers);
        CostModeState? months = billingPath is null ? null : BillingFile.Load(billingPath, billingLog);
        _loop = Own(new SteeringLoop(config, inputs, installer, speaker, links, clock, loggers.CreateLogger<SteeringLoop>(), journal, months, leadership, _traffic.Timer));
        if (_traffic.Tap is { } tap)
        {
            _loop.CycleDone += (read, _, _) => tap.Publish(read);
        }

        BillingFile? billing = billingPath is null ? null : Own(new BillingFile(billingPath, _loop.ExportCost, time, billingLog));
        AuditLog audit = Own(new AuditLog(config.History.AuditFile, time, loggers.CreateLogger<AuditLog>()));
        StateBuilder builder = new(config, links, speaker, new MonitoringView(station), table, time);
        Api = new ApplianceApi(_loop, builder, new Explainer(speaker, links, new RouterChoices(speaker, links, config.Decision.MarkerCommunity),
            new RoutePolicies(config.Decision.Policies, links), table), installer, links, new RibView(speaker, links, table, config, time), builder.Empty(config.Mode),
            new CostView(config, () => _loop.Billing, billing), new ConfigDto(config.Source?.File is { Length: > 0 } file ? file : null, config.Source?.LoadedAt, config.Source?.Effective ?? ""), new ClusterView(config, _traffic, site), journal)
        {
            History = history,
            Audit = audit,
        };

        if (config.Otlp is { } otlp)
        {
            Api.Otlp = Own(new OtlpExport(otlp, config.Site, Api.State.Status.Version, Api.WriteMetrics, loggers.CreateLogger<OtlpExport>(), time));
        }

        HistoryReader? past = history is null ? null : Own(new HistoryReader(config.History.Path, time));
        ApiServer server = Own(await ApiServer.StartAsync(config.Http, Api, audit, loggers, time, cancellationToken, past));
        HttpPort = server.Port;
        await interfaces.StartAsync();
        await speaker.StartAsync(cancellationToken);
        if (station is not null)
        {
            await station.StartAsync(cancellationToken);
        }

        _loop.Start();
        site?.Start(_loop);
        _systemd.Ready();
        if (_systemd.IsEnabled)
        {
            Own(new WatchdogFeeder(_systemd, ReadVitalSigns, () => HealthLine.From(Api.State), time, loggers.CreateLogger<WatchdogFeeder>())).Start();
        }
    }

    /// <summary>What must live: the control loop, and every thread of the data path.</summary>
    private IReadOnlyList<VitalSign> ReadVitalSigns() =>
    [
        new VitalSign("control loop", _loop.Cycles, false, _loop.Period * 3 > LongestCycle ? _loop.Period * 3 : LongestCycle),
        .. (_traffic.Pipeline?.ReadPulses() ?? []).Select(p => new VitalSign(p.Thread, p.Beats, p.Idle, LongestRead)),
    ];

    /// <summary>The lease and what leaders leave to each other. Disposed after the speaker: by then what this box announced is gone.</summary>
    private SiteLeadership MakeLeadership(ApplianceConfig config, ILoggerFactory loggers, TimeProvider time)
    {
        TimeSpan hold = config.Routers.Max(r => r.Bgp.HoldTime);
        SiteDatabase database = Own(new SiteDatabase(config.Cluster!.Database!));
        LeaseOptions options = new() { Site = config.Site, Box = config.Box, Term = config.Cluster.Lease, Silence = ClusterChecks.Silence(hold), Renew = ClusterChecks.Renew };
        PostgresLeaseStore row = Own(new PostgresLeaseStore(database, config.Site));
        SiteLease lease = Own(new SiteLease(options, row, time, loggers.CreateLogger<SiteLease>()));
        return Own(new SiteLeadership(config, lease, new SiteStore(database, config.Site, config.Box), time, loggers.CreateLogger<SiteLeadership>()));
    }

    /// <summary>Starts what keeps rates and events, before the loop, so that it is stopped after it: the last cycle is in it.</summary>
    private HistoryRecorder? StartHistory(ApplianceConfig config, LinkDirectory links, BgpSpeaker speaker, TimeProvider time, ILoggerFactory loggers)
    {
        if (HistoryOptions.From(config) is not { } options)
        {
            return null;
        }

        HistoryWriter writer = new(options, time, loggers.CreateLogger<HistoryWriter>());
        HistorySinks sinks = new(config, writer, time, loggers.CreateLogger<HistorySinks>());
        HistoryRecorder recorder = Own(new HistoryRecorder(writer, options, links, config.Decision.Cycle, time, loggers.CreateLogger<HistoryRecorder>()) { Sinks = () => sinks.Status });

        // Stopped before the writer, which they tell how far they have come.
        Own(sinks);
        speaker.OverrideLost += recorder.NoteLost;
        return recorder;
    }

    private T Own<T>(T part)
        where T : notnull
    {
        _parts.Push(part as IAsyncDisposable ?? new Sync((IDisposable)part));
        return part;
    }

    private sealed class Sync(IDisposable part) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
