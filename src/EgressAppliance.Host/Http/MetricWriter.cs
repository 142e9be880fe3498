using System.Globalization;

namespace EgressAppliance.Host.Http;

/// <summary>Takes metrics in the model of Prometheus: one family at a time, each with its help and type, then its samples.</summary>
public abstract class MetricWriter
{
    /// <summary>Starts a family; its samples follow.</summary>
    /// <param name="name">Name, <c>[a-z_]+</c>.</param>
    /// <param name="type"><c>gauge</c>, <c>counter</c> or <c>histogram</c>.</param>
    /// <param name="help">What it is, one line.</param>
    public MetricWriter Family(string name, string type, string help)
    {
        Begin(name, type, help);
        return this;
    }

    /// <summary>Starts a gauge.</summary>
    public MetricWriter Gauge(string name, string help) => Family(name, "gauge", help);

    /// <summary>Starts a counter; its name ends in <c>_total</c>.</summary>
    public MetricWriter Counter(string name, string help) => Family(name, "counter", help);

    /// <summary>Writes a histogram without labels.</summary>
    public MetricWriter Histogram(string name, string help, DurationReading reading) => Family(name, "histogram", help).Distribution(reading);

    /// <summary>Writes one sample of the family.</summary>
    public MetricWriter Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        Write("", value, labels);
        return this;
    }

    /// <summary>Writes one histogram of the family: one series for each bound, the number of observations up to it, then sum and count.</summary>
    public MetricWriter Distribution(DurationReading reading, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        ArgumentNullException.ThrowIfNull(reading);
        long sum = 0;
        (string Name, string Value)[] bucket = [.. labels, default];
        for (int i = 0; i < reading.Counts.Count; i++)
        {
            sum += reading.Counts[i];
            bucket[^1] = ("le", i < reading.Bounds.Count ? Format(reading.Bounds[i]) : "+Inf");
            Write("_bucket", sum, bucket);
        }

        Write("_sum", reading.SumSeconds, labels);
        Write("_count", sum, labels);
        return this;
    }

    /// <summary>A number as Prometheus writes it.</summary>
    protected static string Format(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>A family begins.</summary>
    protected abstract void Begin(string name, string type, string help);

    /// <summary>A sample of the family.</summary>
    /// <param name="suffix">What the name of the series has beyond that of the family.</param>
    /// <param name="value">The value.</param>
    /// <param name="labels">Its labels.</param>
    protected abstract void Write(string suffix, double value, ReadOnlySpan<(string Name, string Value)> labels);
}
