using System.Diagnostics.Metrics;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Telemetry;

/// <summary>
/// The families of <c>/metrics</c> as instruments of .NET, so that whoever listens to instruments gets exactly what whoever reads the page gets, under the same names. A histogram
/// is its series of the page: counters of observations by bound, their sum and number. One caller at a time; the instruments may be read from any thread.
/// </summary>
public sealed class FamilyMeter : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "EgressAppliance";

    private readonly Meter _meter = new(Name);
    private readonly HashSet<string> _instruments = new(StringComparer.Ordinal);
    private readonly Action<MetricWriter> _write;
    private volatile Dictionary<string, List<Measurement<double>>> _latest = [];

    /// <summary>A meter of what <paramref name="write"/> writes.</summary>
    public FamilyMeter(Action<MetricWriter> write) => _write = write;

    /// <summary>Takes the values as of now, and makes an instrument of each series name that is new.</summary>
    public void Refresh()
    {
        Collector collector = new();
        _write(collector);
        _latest = collector.Measurements;
        foreach ((string name, (bool counter, string help)) in collector.Series)
        {
            if (!_instruments.Add(name))
            {
                continue;
            }

            if (counter)
            {
                _meter.CreateObservableCounter(name, () => Read(name), description: help);
            }
            else
            {
                _meter.CreateObservableGauge(name, () => Read(name), description: help);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private List<Measurement<double>> Read(string name) => _latest.TryGetValue(name, out List<Measurement<double>>? found) ? found : [];

    private sealed class Collector : MetricWriter
    {
        private (string Name, string Type, string Help) _family;

        public Dictionary<string, List<Measurement<double>>> Measurements { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, (bool Counter, string Help)> Series { get; } = new(StringComparer.Ordinal);

        protected override void Begin(string name, string type, string help) => _family = (name, type, help);

        protected override void Write(string suffix, double value, ReadOnlySpan<(string Name, string Value)> labels)
        {
            // NaN says "not known" in Prometheus; here what is not known is left out.
            if (double.IsNaN(value))
            {
                return;
            }

            string name = _family.Name + suffix;
            if (!Measurements.TryGetValue(name, out List<Measurement<double>>? measurements))
            {
                Measurements.Add(name, measurements = []);
                Series.Add(name, (_family.Type != "gauge", _family.Help));
            }

            KeyValuePair<string, object?>[] tags = new KeyValuePair<string, object?>[labels.Length];
            for (int i = 0; i < labels.Length; i++)
            {
                tags[i] = KeyValuePair.Create(labels[i].Name, (object?)labels[i].Value);
            }

            measurements.Add(new Measurement<double>(value, tags));
        }
    }
}
