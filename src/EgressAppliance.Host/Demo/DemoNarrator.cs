using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using EgressAppliance.Host.Http;
using EgressAppliance.Simulator;
using EgressAppliance.Simulator.Routing;
using EgressAppliance.Simulator.Traffic;

namespace EgressAppliance.Host.Demo;

/// <summary>
/// Tells the story in text: once a second the loads as the router measures them, and between these lines each move and release as the router takes it and
/// each change of the appliance's verdict. On a terminal the line of loads is rewritten in place. It counts what it tells.
/// </summary>
internal sealed class DemoNarrator : IDisposable
{
    private const double BarEnd = 1.2;
    private const int FullWidth = 125;

    private readonly SimulatedNetwork _network;
    private readonly SurgeScenario _scenario;
    private readonly double _threshold;
    private readonly TextWriter _output;
    private readonly int? _width;
    private readonly double _ratioPerCell;
    private readonly ConcurrentQueue<(TimeSpan At, OverrideChange Change)> _changes = new();
    private string? _verdict;
    private bool _lineOpen;

    public DemoNarrator(SimulatedNetwork network, SurgeScenario scenario, double threshold, TextWriter output, int? width)
    {
        (_network, _scenario, _threshold, _output, _width) = (network, scenario, threshold, output, width);
        _ratioPerCell = IsNarrow ? 0.2 : 0.1;
        network.Router.OverrideChanged += OnOverrideChanged;
    }

    private bool IsNarrow => _width < FullWidth;

    /// <summary>Overrides taken so far.</summary>
    public int Moves { get; private set; }

    /// <summary>Overrides withdrawn so far.</summary>
    public int Releases { get; private set; }

    /// <summary>Writes a line of its own.</summary>
    public void Say(string line)
    {
        if (_lineOpen)
        {
            _output.WriteLine();
            _lineOpen = false;
        }

        _output.WriteLine(line);
        _output.Flush();
    }

    /// <summary>Tells what happened since the last call, and the loads.</summary>
    public void Tell(DecisionDto? decision)
    {
        TellChanges();
        if (decision is not null && decision.Verdict != _verdict)
        {
            _verdict = decision.Verdict;
            Say($"{Clock(_network.Traffic.StoryTime)} verdict  {decision.Verdict}: {decision.Reason}");
        }

        string line = Loads();
        if (_width is { } width)
        {
            int room = Math.Max(width - 1, 1);
            _output.Write("\r" + (line.Length > room ? line[..room] : line.PadRight(room)));
            _output.Flush();
            _lineOpen = true;
        }
        else
        {
            Say(line);
        }
    }

    /// <summary>Counts and tells the moves and releases that are still untold; later ones are not counted.</summary>
    public void Close()
    {
        _network.Router.OverrideChanged -= OnOverrideChanged;
        TellChanges();
    }

    public void Dispose() => _network.Router.OverrideChanged -= OnOverrideChanged;

    private void OnOverrideChanged(OverrideChange change) => _changes.Enqueue((_network.Traffic.StoryTime, change));

    private void TellChanges()
    {
        while (_changes.TryDequeue(out (TimeSpan At, OverrideChange Change) item))
        {
            OverrideChange change = item.Change;
            (string what, int from, int to) = change.Kind switch
            {
                OverrideChangeKind.Installed => ("move", change.NativeLink, change.OverrideLink),
                OverrideChangeKind.Withdrawn => ("release", change.OverrideLink, change.NativeLink),
                OverrideChangeKind.SessionLost => ("lost", change.OverrideLink, change.NativeLink),
                _ => ("ignored", change.NativeLink, change.OverrideLink),
            };
            Moves += change.Kind == OverrideChangeKind.Installed ? 1 : 0;
            Releases += change.Kind == OverrideChangeKind.Withdrawn ? 1 : 0;
            double mbps = _network.Traffic.DemandBps(change.Prefix) / 1e6;
            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"{Clock(item.At)} {what,-8} {change.Prefix,-24} {mbps,6:F1} Mbit/s  {Name(from)} -> {Name(to)}"));
        }
    }

    private string Loads()
    {
        LoadSample sample = _network.Traffic.Truth.Latest;
        TimeSpan at = _network.Traffic.StoryTime;
        StringBuilder line = new();
        string phase = at < TimeSpan.Zero ? "start" : _scenario.PhaseAt(at).ToString().ToLowerInvariant();
        line.Append(CultureInfo.InvariantCulture, $"{Clock(at)} {phase,-8}");
        for (int i = 0; i < sample.Ratios.Count; i++)
        {
            line.Append(CultureInfo.InvariantCulture, $" {Name(i)} [{Bar(sample.Ratios[i])}] {sample.Ratios[i] * 100,3:F0}%");
            if (!IsNarrow)
            {
                string plain = Math.Abs(sample.NativeRatios[i] - sample.Ratios[i]) < 0.005
                    ? "" : string.Create(CultureInfo.InvariantCulture, $"(BGP {sample.NativeRatios[i] * 100:F0}%)");
                line.Append(CultureInfo.InvariantCulture, $" {plain,-10}");
            }
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>A cell for each tenth of the capacity (each fifth where room is short). The one behind the mark fills when the threshold is exceeded.</summary>
    private string Bar(double ratio)
    {
        StringBuilder bar = new();
        for (double from = 0; from < BarEnd - (_ratioPerCell / 2); from += _ratioPerCell)
        {
            bool hasThreshold = _threshold >= from && _threshold < from + _ratioPerCell;
            bar.Append(hasThreshold ? "|" : "");
            bar.Append(ratio > (hasThreshold ? _threshold : from + (_ratioPerCell / 2)) ? '#' : '.');
        }

        return bar.ToString();
    }

    private string Name(int link) => link < 0 ? "-" : _network.Router.Links[link].Name;

    private static string Clock(TimeSpan t) =>
        t < TimeSpan.Zero ? " -:--" : string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalMinutes,2}:{t.Seconds:D2}");
}
