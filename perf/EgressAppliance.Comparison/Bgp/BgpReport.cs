using System.Globalization;
using System.Text;
using EgressAppliance.Comparison.Reporting;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>Writes the report of a comparison of speakers: <c>bgp.md</c> and its charts.</summary>
internal sealed class BgpReport
{
    private const string CpuChart = "bgp-cpu.svg";
    private const string MemoryChart = "bgp-memory.svg";
    private const string FlapChart = "bgp-flaps.svg";

    /// <summary>What is demanded of withdrawals, and by how much a KEEPALIVE may be later than a third of the hold time.</summary>
    private const double DemandedMilliseconds = 50;
    private const double KeepaliveMargin = 1;

    /// <summary>Loads of one process after which its memory should not grow any more.</summary>
    private const int Settled = 5;

    private readonly BgpResults _results;
    private readonly Contender[] _contenders;
    private readonly StringBuilder _text = new();

    private BgpReport(BgpResults results)
    {
        _results = results;
        _contenders = [.. Contender.All.Where(c => results.Loads.Keys.Any(key => key.Name == c.Name))];
    }

    /// <summary>Writes all files.</summary>
    public static void Write(string folder, string command, string loadBefore, BgpResults results)
    {
        Directory.CreateDirectory(folder);
        BgpReport report = new(results);
        report.WriteHead(command, loadBefore);
        foreach (int paths in results.Feeds.Keys)
        {
            report.WriteLoads(paths);
        }

        report.WriteMonitoring();
        report.WriteFlaps();
        report.WriteLatencies();
        File.WriteAllText(Path.Combine(folder, "bgp.md"), report._text.ToString().TrimEnd() + "\n");
        report.Draw(folder);
    }

    private static string Number(double value) => double.IsFinite(value) ? MarkdownTable.Number(value) : "–";

    private static double Mebibytes(double bytes) => bytes / (1 << 20);

    private static string MebibytesText(double bytes) => Number(Mebibytes(bytes));

    private void WriteHead(string command, string loadBefore)
    {
        _text.Append(CultureInfo.InvariantCulture, $"""
            # BGP: taking a full table in

            Command: `{command}`, commit {Repository.Commit()}.
            Machine: {Machine.Describe()}.
            Load average before and after: {loadBefore}; {Machine.Load()}.


            """);
        foreach (Feed.FeedFile feed in _results.Feeds.Values)
        {
            _text.Append(CultureInfo.InvariantCulture, $"- Table: {feed}.\n");
        }

        _text.Append(CultureInfo.InvariantCulture, $"""

            One external peer sends the same octets, made before, to each speaker in turn, in fresh network namespaces and a fresh process each time; the sender on CPU 0, the speaker on CPU 1.
            The daemons import everything, export nothing and have no kernel (bgpd -n -Z). With several paths they come by ADD-PATH. "CPU" is user and system time of
            the daemon's process from the start of the session until it counts all routes, "a second later" includes a second of quiet after that, in which some do what they put off;
            wall time begins with the first octet sent. "Purge" is from the end of the connection until no route is left. Memory is VmRSS that second after.
            Figures are medians of {_results.Loads.Values.First().Count} round(s), with least and most; "of BIRD" is the median of the ratios within a round.

            egress-appliance is its speaker with the lookup table that the data path uses, put together as the appliance does it and started cold: the just-in-time compiler's work is in its figures. The others
            have no such table.

            ![CPU seconds for a table]({CpuChart})

            ![Resident memory with the table]({MemoryChart})


            """);
    }

    private void WriteLoads(int paths)
    {
        MarkdownTable load = new("speaker", "CPU, s", "of BIRD", "a second later, s", "of BIRD", "wall, s", "of BIRD", "resident, MiB", "of BIRD", "bytes a route");
        MarkdownTable purge = new("speaker", "purge CPU, s", "of BIRD", "purge wall, s", "of BIRD", "resident after, MiB");
        foreach (Contender contender in _contenders)
        {
            List<LoadSample> samples = _results.Loads[(contender.Name, paths)];
            load.Add(
                contender.Title,
                Format(samples, s => s.LoadCpu), OfBird(paths, samples, s => s.LoadCpu),
                Format(samples, s => s.LoadCpuQuiet), OfBird(paths, samples, s => s.LoadCpuQuiet),
                Format(samples, s => s.LoadWall), OfBird(paths, samples, s => s.LoadWall),
                Format(samples, s => Mebibytes(s.Loaded.Rss)), OfBird(paths, samples, s => s.Loaded.Rss),
                Number(Spread.Of(samples.Select(s => (double)s.Loaded.Rss / s.Routes)).Median));
            purge.Add(
                contender.Title,
                Format(samples, s => s.PurgeCpu), OfBird(paths, samples, s => s.PurgeCpu),
                Format(samples, s => s.PurgeWall), OfBird(paths, samples, s => s.PurgeWall),
                Format(samples, s => Mebibytes(s.Emptied.Rss)));
        }

        _text.Append(CultureInfo.InvariantCulture, $"## {paths} path(s) of each prefix\n\n{load}\n{purge}\n");
        long expected = _results.Feeds[paths].Routes;
        foreach (Contender contender in _contenders)
        {
            if (_results.Loads[(contender.Name, paths)].Select(s => s.Routes).Where(r => r != expected).ToArray() is [var other, ..])
            {
                _text.Append(CultureInfo.InvariantCulture, $"{contender.Title} took {other} of {expected} routes.\n\n");
            }
        }

        if (_results.Loads.TryGetValue((Contender.Own, paths), out List<LoadSample>? own) && own.Select(s => s.PathQuestion).OfType<double>().ToArray() is { Length: > 0 } questions)
        {
            _text.Append(CultureInfo.InvariantCulture, $"""
                egress-appliance keeps the best path of a prefix in the first place and orders the others when it is asked: the question for all paths of a prefix in the order in which the router prefers them, as the steering
                cycle asks it for prefixes with traffic, takes {Number(Spread.Of(questions).Median)} µs (random prefixes).


                """);
        }
    }

    private void WriteMonitoring()
    {
        List<MonitoringSample> samples = _results.Monitoring;
        if (samples.Count == 0)
        {
            return;
        }

        MarkdownTable table = new("routes", "CPU, s", "wall, s", "resident, MiB", "bytes a route", "purge CPU, s", "purge wall, s");
        table.Add(
            $"{samples[0].Routes}", Format(samples, s => s.LoadCpu), Format(samples, s => s.LoadWall), Format(samples, s => Mebibytes(s.Loaded.Rss)),
            Format(samples, s => (double)s.Loaded.Rss / s.Routes), Format(samples, s => s.PurgeCpu), Format(samples, s => s.PurgeWall));
        _text.Append(CultureInfo.InvariantCulture, $"""
            ## The same by BMP

            One router shows the full tables of {samples[0].Peers} peers, each with attributes of its own, to the appliance's BMP station (RFC 7854), as fast as it takes them, in turns of an UPDATE; then the connection is dropped.

            {table}

            """);
    }

    private void WriteFlaps()
    {
        if (!_results.Flaps.TryGetValue(Contender.Own, out List<LoadSample>? own))
        {
            return;
        }

        _text.Append(CultureInfo.InvariantCulture, $"""
            ## The same session up and down

            One process each takes the table of {_results.Feeds.First().Key} path(s) in, loses it with the session, and again, a second of quiet after each. "Heap" is the managed heap with what is dead and not yet collected.

            ![Resident memory over flaps]({FlapChart})


            """);
        MarkdownTable table = new("flap", "speaker", "load CPU, s", "load wall, s", "resident, MiB", "heap, MiB", "purge CPU, s", "purge wall, s", "resident after, MiB", "heap after, MiB");
        foreach (Contender contender in _contenders)
        {
            foreach ((int index, LoadSample s) in _results.Flaps.GetValueOrDefault(contender.Name, []).Index())
            {
                table.Add(
                    $"{index + 1}", contender.Title, Number(s.LoadCpu), Number(s.LoadWall), MebibytesText(s.Loaded.Rss), s.LoadedHeap is { } heap ? MebibytesText(heap) : "",
                    Number(s.PurgeCpu), Number(s.PurgeWall), MebibytesText(s.Emptied.Rss), s.EmptiedHeap is { } after ? MebibytesText(after) : "");
            }
        }

        _text.Append(CultureInfo.InvariantCulture, $"{table}\n");
        if (own.Count > Settled)
        {
            // Halves, not single flaps: where in its cycle the collector stands moves one value by a good part.
            double Median(IEnumerable<LoadSample> samples) => Spread.Of(samples.Select(s => (double)s.Loaded.Rss)).Median;
            LoadSample[] late = [.. own.Skip(Settled)];
            double first = Median(late.Take((late.Length + 1) / 2));
            double second = Median(late.Skip(late.Length / 2));
            _text.Append(CultureInfo.InvariantCulture, $"""
                egress-appliance, resident with the table, median of the first half of the flaps after the {Settled}th: {MebibytesText(first)} MiB; of the second half: {MebibytesText(second)} MiB ({(second / first) - 1:+0.0%;-0.0%}).

                """);
        }

        _text.Append(CultureInfo.InvariantCulture, $"egress-appliance, live objects after the last flap and a full collection: {MebibytesText(_results.LiveAfterFlaps)} MiB.\n\n");
    }

    private void WriteLatencies()
    {
        if (_results.Latencies.Count == 0)
        {
            return;
        }

        _text.Append("""
            ## Withdrawals and keepalives while a table comes in

            Router A sends the table with three paths at full speed to egress-appliance, loses its session, and again. Router B, another internal peer, has 2000 prefixes with two paths each and an override on every
            second path; it withdraws such a path every 4 ms, and the time is taken from its write to the arrival of the override's withdrawal at B, by one clock. "Late wake-up" is how late a thread
            that slept for 4 ms meanwhile was woken on CPU 0 (the routers) and CPU 1: what the machine itself adds. "Nothing else" comes first, and the work of the just-in-time compiler is in it.


            """);
        MarkdownTable withdrawals = new("speaker on", "while", "withdrawals", "p50, ms", "p99, ms", "most, ms", $"p99 under {DemandedMilliseconds} ms");
        MarkdownTable keepalives = new("speaker on", "hold time, s", "intervals", "longest at A, s", "longest at B, s", "at most hold time / 3 + 1 s", "late wake-up CPU 0, p99 (most), ms", "CPU 1");
        foreach (LatencyResult result in _results.Latencies)
        {
            string place = "CPU " + result.Processors;
            AddWithdrawals(withdrawals, place, $"A's table comes in ({result.Loads} times, {result.LoadSeconds / result.Loads:0.0} s each)", result.Loading);
            AddWithdrawals(withdrawals, place, "A's table goes with its session", result.Purging);
            AddWithdrawals(withdrawals, place, "nothing else", result.Idle);
            bool punctual = result.KeepaliveSeconds.All(s => s <= (result.HoldTime / 3) + KeepaliveMargin);
            keepalives.Add(
                [
                    place, Number(result.HoldTime), $"{result.Keepalives}", Number(result.KeepaliveSeconds[0]), Number(result.KeepaliveSeconds[1]), punctual ? "yes" : "**no**",
                    .. result.WakeUps.Select(late => $"{Number(LatencyResult.Percentile(late, 0.99))} ({Number(LatencyResult.Percentile(late, 1))})"),
                ]);
        }

        _text.Append(CultureInfo.InvariantCulture, $"{withdrawals}\n{keepalives}\n");
    }

    private static void AddWithdrawals(MarkdownTable table, string place, string meanwhile, double[] sorted)
    {
        double most = LatencyResult.Percentile(sorted, 0.99);
        table.Add(
            place, meanwhile, $"{sorted.Length}", Number(LatencyResult.Percentile(sorted, 0.5)), Number(most), Number(LatencyResult.Percentile(sorted, 1)),
            most < DemandedMilliseconds ? "yes" : "**no**");
    }

    private void Draw(string folder)
    {
        string[] titles = [.. _contenders.Select(c => c.Title)];
        IReadOnlyList<(string, IReadOnlyList<double>)> Bars(Func<LoadSample, double> value) =>
        [
            .. _results.Feeds.Keys.Select(paths => (
                $"{paths} path(s)",
                (IReadOnlyList<double>)[.. _contenders.Select(c => Spread.Of(_results.Loads[(c.Name, paths)].Select(value)).Median)])),
        ];
        BarChart.Write(Path.Combine(folder, CpuChart), "CPU time to take a full table in", "seconds", titles, Bars(s => s.LoadCpu));
        BarChart.Write(Path.Combine(folder, MemoryChart), "Resident memory with a full table", "MiB", titles, Bars(s => Mebibytes(s.Loaded.Rss)));
        if (_results.Flaps.Count > 0)
        {
            LineChart.Write(
                Path.Combine(folder, FlapChart), "Resident memory while a session goes up and down", "flap", "MiB",
                [.. _contenders.Where(c => _results.Flaps.ContainsKey(c.Name)).SelectMany((c, color) => (LineSeries[])
                    [
                        new($"{c.Name}, with the table", color, false, [.. _results.Flaps[c.Name].Select(s => Mebibytes(s.Loaded.Rss))]),
                        new($"{c.Name}, after the purge", color, true, [.. _results.Flaps[c.Name].Select(s => Mebibytes(s.Emptied.Rss))]),
                    ])]);
        }
    }

    private static string Format<T>(List<T> samples, Func<T, double> value)
    {
        Spread spread = Spread.Of(samples.Select(value));
        return samples.Count == 1 ? Number(spread.Median) : MarkdownTable.Format(spread);
    }

    private string OfBird(int paths, List<LoadSample> samples, Func<LoadSample, double> value) =>
        _results.Loads.TryGetValue((Contender.Bird, paths), out List<LoadSample>? bird)
            ? Number(Spread.OfRatios(samples.Select(value), bird.Select(value)).Median)
            : "–";
}
