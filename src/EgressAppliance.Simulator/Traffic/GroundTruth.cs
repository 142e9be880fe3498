namespace EgressAppliance.Simulator.Traffic;

/// <summary>Loads of all links over the last full second, ratios of capacity, in the order of the router's links.</summary>
/// <param name="At">End of the second, model time.</param>
/// <param name="Ratios">What the router sent towards each link.</param>
/// <param name="NativeRatios">What plain BGP would have sent there.</param>
public sealed record LoadSample(TimeSpan At, IReadOnlyList<double> Ratios, IReadOnlyList<double> NativeRatios);

/// <summary>What was measured since <see cref="GroundTruth.Begin"/>.</summary>
/// <param name="PeakRatios">Highest load of each link in any full second, ratio of capacity.</param>
/// <param name="NativePeakRatios">The same under plain BGP.</param>
/// <param name="OverloadSeconds">Full seconds in which some link was to carry more than its capacity.</param>
/// <param name="NativeOverloadSeconds">The same under plain BGP.</param>
public sealed record TruthSummary(
    IReadOnlyList<double> PeakRatios, IReadOnlyList<double> NativePeakRatios, int OverloadSeconds, int NativeOverloadSeconds);

/// <summary>
/// Measures, in the router itself and independently of anything the appliance believes, how much each link was to carry: with the overrides in force and, for the
/// same packets, under plain BGP. Loads are offered loads: above 1 the port drops what exceeds it. Written by the traffic thread, read by any.
/// </summary>
public sealed class GroundTruth
{
    private static readonly TimeSpan Bin = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly double[] _capacityBytes;
    private readonly long[] _bytes;
    private readonly long[] _nativeBytes;
    private readonly double[] _peaks;
    private readonly double[] _nativePeaks;
    private TimeSpan _binStart;
    private bool _measuring;
    private int _overloadSeconds;
    private int _nativeOverloadSeconds;
    private LoadSample _latest;

    /// <summary>For links of these capacities, bit/s.</summary>
    public GroundTruth(IReadOnlyList<long> capacitiesBps)
    {
        ArgumentNullException.ThrowIfNull(capacitiesBps);
        int n = capacitiesBps.Count;
        _capacityBytes = [.. capacitiesBps.Select(c => c / 8.0)];
        (_bytes, _nativeBytes, _peaks, _nativePeaks) = (new long[n], new long[n], new double[n], new double[n]);
        _latest = new(TimeSpan.Zero, new double[n], new double[n]);
    }

    /// <summary>The last full second.</summary>
    public LoadSample Latest => Volatile.Read(ref _latest);

    /// <summary>Starts the measurement that <see cref="Summarize"/> reports, with a fresh second from this model time on.</summary>
    public void Begin(TimeSpan now)
    {
        lock (_gate)
        {
            _measuring = true;
            _overloadSeconds = _nativeOverloadSeconds = 0;
            Array.Clear(_peaks);
            Array.Clear(_nativePeaks);
            Restart(now);
        }
    }

    /// <summary>Adds bytes offered to a link, and to the link that plain BGP would use; -1: none.</summary>
    public void Add(int link, int nativeLink, int octets)
    {
        if (link >= 0)
        {
            _bytes[link] += octets;
        }

        if (nativeLink >= 0)
        {
            _nativeBytes[nativeLink] += octets;
        }
    }

    /// <summary>Tells the time that has been generated; ends a second when it is full.</summary>
    public void Advance(TimeSpan now)
    {
        if (now - _binStart < Bin)
        {
            return;
        }

        lock (_gate)
        {
            double seconds = (now - _binStart).TotalSeconds;
            double[] ratios = new double[_bytes.Length];
            double[] native = new double[_bytes.Length];
            for (int i = 0; i < ratios.Length; i++)
            {
                ratios[i] = _bytes[i] / (_capacityBytes[i] * seconds);
                native[i] = _nativeBytes[i] / (_capacityBytes[i] * seconds);
                if (_measuring)
                {
                    _peaks[i] = Math.Max(_peaks[i], ratios[i]);
                    _nativePeaks[i] = Math.Max(_nativePeaks[i], native[i]);
                }
            }

            if (_measuring)
            {
                _overloadSeconds += ratios.AsSpan().ContainsAnyInRange(Math.BitIncrement(1.0), double.MaxValue) ? 1 : 0;
                _nativeOverloadSeconds += native.AsSpan().ContainsAnyInRange(Math.BitIncrement(1.0), double.MaxValue) ? 1 : 0;
            }

            Volatile.Write(ref _latest, new(now, ratios, native));
            Restart(now);
        }
    }

    /// <summary>What was measured so far.</summary>
    public TruthSummary Summarize()
    {
        lock (_gate)
        {
            return new([.. _peaks], [.. _nativePeaks], _overloadSeconds, _nativeOverloadSeconds);
        }
    }

    private void Restart(TimeSpan now)
    {
        _binStart = now;
        Array.Clear(_bytes);
        Array.Clear(_nativeBytes);
    }
}
