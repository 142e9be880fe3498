using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace EgressAppliance.Host.Telemetry;

/// <summary>
/// Sends the metrics to a collector by OTLP at an interval, those of <c>/metrics</c> and those of .NET, for operators whose monitoring is fed and does not scrape.
/// </summary>
/// <remarks>
/// It runs on a thread of its own, as the exporter waits for the collector: a slow one holds up nothing. What a collector did not take is not sent again; counters are
/// sums since start, so that the next export tells all. Failures are counted and logged when they begin and end.
/// </remarks>
public sealed partial class OtlpExport : IAsyncDisposable
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(1);

    private readonly OtlpConfig _config;
    private readonly FamilyMeter _families;
    private readonly MeterProvider _provider;
    private readonly ILogger<OtlpExport> _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private long _exports, _failures;
    private volatile bool _problem;

    /// <summary>Begins to export.</summary>
    /// <param name="config">Where to and how often.</param>
    /// <param name="site">The site, <c>service.instance.id</c> of all that is sent.</param>
    /// <param name="version">Version of the appliance.</param>
    /// <param name="write">Writes the families of <c>/metrics</c>.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="time">The clock.</param>
    public OtlpExport(OtlpConfig config, string site, string version, Action<MetricWriter> write, ILogger<OtlpExport> logger, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _logger = logger;
        _time = time;
        _families = new FamilyMeter(write);
        OtlpExporterOptions options = new()
        {
            Protocol = config.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,

            // The exporter appends the path of the signal to addresses of its own defaults and environment only.
            Endpoint = config.Grpc ? config.Endpoint : new Uri(config.Endpoint.AbsoluteUri.TrimEnd('/') + "/v1/metrics"),
            TimeoutMilliseconds = (int)config.Timeout.TotalMilliseconds,

            // Its own way to give headers takes no comma in a value.
            HttpClientFactory = () => Client(config),
        };
        _provider = FrameworkMetrics.Add(Sdk.CreateMeterProviderBuilder())
            .AddMeter(FamilyMeter.Name)
            .ConfigureResource(r => r.Clear().AddService("egress-appliance", serviceVersion: version, autoGenerateServiceInstanceId: false, serviceInstanceId: site).AddTelemetrySdk())
            .AddReader(new BaseExportingMetricReader(new OtlpMetricExporter(options)))
            .Build();
        _running = Task.Factory.StartNew(Run, _stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How it fares.</summary>
    public OtlpStatus Status => new(Interlocked.Read(ref _exports), Interlocked.Read(ref _failures), _problem);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();

        // A collector that does not answer must not hold up the end of the process, with which overrides are withdrawn. What still waits for it then is a background thread.
        await Task.WhenAny(EndAsync(), Task.Delay(EndPatience, _time));
    }

    private static HttpClient Client(OtlpConfig config)
    {
        HttpClient client = new() { Timeout = config.Timeout };
        foreach ((string name, string value) in config.Headers)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        }

        return client;
    }

    private async Task EndAsync()
    {
        await _running;
        await Task.Run(_provider.Dispose);
        _families.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        long next = _time.GetTimestamp();
        do
        {
            Export();
            TimeSpan wait = _config.Interval - _time.GetElapsedTime(next);
            if (wait > TimeSpan.Zero && _stop.Token.WaitHandle.WaitOne(wait))
            {
                return;
            }

            next = _time.GetTimestamp();
        }
        while (!_stop.IsCancellationRequested);
    }

    private void Export()
    {
        bool taken;
        try
        {
            _families.Refresh();
            taken = _provider.ForceFlush((int)_config.Timeout.TotalMilliseconds);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever is wrong with the export, the thread must live: the next one may go well.
            Unexpected(_logger, e);
            taken = false;
        }

        Interlocked.Increment(ref taken ? ref _exports : ref _failures);
        if (taken == _problem)
        {
            _problem = !taken;
            if (taken)
            {
                Resumed(_logger, _config.Endpoint);
            }
            else
            {
                Failed(_logger, _config.Endpoint);
            }
        }
    }

    [LoggerMessage(7301, LogLevel.Warning, "otlp {Endpoint}: the collector does not take the metrics; is it up, is the address right, does it want a header (telemetry.otlp.headers_file)?")]
    private static partial void Failed(ILogger logger, Uri endpoint);

    [LoggerMessage(7302, LogLevel.Information, "otlp {Endpoint}: the collector takes the metrics again")]
    private static partial void Resumed(ILogger logger, Uri endpoint);

    [LoggerMessage(7303, LogLevel.Error, "otlp: an export failed unexpectedly")]
    private static partial void Unexpected(ILogger logger, Exception exception);
}
