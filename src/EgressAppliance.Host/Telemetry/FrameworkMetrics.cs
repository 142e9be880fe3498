using EgressAppliance.Host.Http;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace EgressAppliance.Host.Telemetry;

/// <summary>
/// What .NET, its web server and its HTTP pipeline measure of themselves, for the page <c>/metrics</c>. The instruments and their names are Microsoft's
/// (https://learn.microsoft.com/dotnet/core/diagnostics/built-in-metrics); how they are spelled here is how OpenTelemetry turns its names into those of Prometheus.
/// Thread-safe.
/// </summary>
public sealed class FrameworkMetrics : IDisposable
{
    // Routes, methods and status codes are few; what tells apart more than this would fill the memory of whoever scrapes.
    private const int MostSeries = 500;

    private readonly Lock _gate = new();
    private readonly Exporter _exporter = new();
    private readonly BaseExportingMetricReader _reader;
    private readonly MeterProvider _provider;

    /// <summary>Begins to measure.</summary>
    public FrameworkMetrics()
    {
        _reader = new BaseExportingMetricReader(_exporter);
        _provider = Add(Sdk.CreateMeterProviderBuilder()).AddReader(_reader).Build();
    }

    /// <summary>Adds the instruments, those left out whose names Prometheus would take for a part of a histogram.</summary>
    internal static MeterProviderBuilder Add(MeterProviderBuilder builder) => builder
        .AddMeter("Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Hosting", "System.Runtime")
        .AddView(instrument => instrument.Name.EndsWith(".count", StringComparison.Ordinal)
            ? MetricStreamConfiguration.Drop
            : new MetricStreamConfiguration { CardinalityLimit = MostSeries });

    /// <summary>Writes them as of now.</summary>
    public void Write(MetricWriter writer)
    {
        lock (_gate)
        {
            _exporter.Writer = writer;
            _reader.Collect();
            _exporter.Writer = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _provider.Dispose();
        _reader.Dispose();
        _exporter.Dispose();
    }

    /// <summary>The name in Prometheus of an instrument.</summary>
    /// <param name="name">Its name, with dots.</param>
    /// <param name="unit">Its unit (UCUM); in braces what is counted.</param>
    /// <param name="monotonic">True for a counter.</param>
    public static string NameOf(string name, string unit, bool monotonic)
    {
        ArgumentNullException.ThrowIfNull(name);
        string suffix = unit switch { "s" => "_seconds", "By" => "_bytes", "ms" => "_milliseconds", _ => "" };
        string plain = name.Replace('.', '_');
        return plain + (plain.EndsWith(suffix, StringComparison.Ordinal) ? "" : suffix) + (monotonic ? "_total" : "");
    }

    private sealed class Exporter : BaseExporter<Metric>
    {
        public MetricWriter? Writer { get; set; }

        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (Metric metric in batch)
            {
                if (Writer is { } writer)
                {
                    Write(writer, metric);
                }
            }

            return ExportResult.Success;
        }

        private static void Write(MetricWriter writer, Metric metric)
        {
            (string type, Func<MetricPoint, double>? value) = metric.MetricType switch
            {
                MetricType.LongSum => ("counter", p => p.GetSumLong()),
                MetricType.DoubleSum => ("counter", p => p.GetSumDouble()),
                MetricType.LongSumNonMonotonic => ("gauge", p => p.GetSumLong()),
                MetricType.DoubleSumNonMonotonic => ("gauge", p => p.GetSumDouble()),
                MetricType.LongGauge => ("gauge", p => p.GetGaugeLastValueLong()),
                MetricType.DoubleGauge => ("gauge", (Func<MetricPoint, double>)(p => p.GetGaugeLastValueDouble())),
                _ => ("histogram", null),
            };
            writer.Family(NameOf(metric.Name, metric.Unit, type == "counter"), type, metric.Description.ReplaceLineEndings(" "));
            foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
            {
                (string, string)[] labels = Labels(point);
                if (value is not null)
                {
                    writer.Sample(value(point), labels);
                }
                else
                {
                    writer.Distribution(Read(point), labels);
                }
            }
        }

        private static DurationReading Read(in MetricPoint point)
        {
            List<double> bounds = [];
            List<long> counts = [];
            foreach (HistogramBucket bucket in point.GetHistogramBuckets())
            {
                counts.Add(bucket.BucketCount);
                if (!double.IsPositiveInfinity(bucket.ExplicitBound))
                {
                    bounds.Add(bucket.ExplicitBound);
                }
            }

            return new DurationReading(bounds, counts, point.GetHistogramSum());
        }

        private static (string Name, string Value)[] Labels(in MetricPoint point)
        {
            List<(string, string)> labels = [];
            foreach ((string name, object? value) in point.Tags)
            {
                labels.Add((name.Replace('.', '_'), Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? ""));
            }

            return [.. labels];
        }
    }
}
