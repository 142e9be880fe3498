using EgressAppliance.Comparison.Running;
using EgressAppliance.Comparison.Traffic;

namespace EgressAppliance.Comparison.Files;

/// <summary>All rounds of one mix.</summary>
/// <param name="Mix">Name of the mix.</param>
/// <param name="Samples">By program, one for each round, in the order of the rounds.</param>
internal sealed record MixResult(string Mix, Dictionary<Contender, List<Sample>> Samples);

/// <summary>
/// Compares programs over capture files. First all must count the same; then every round runs each program once, in turn, so that
/// whatever else the machine does meets all of them.
/// </summary>
internal sealed class FileComparison
{
    private readonly string _folder;
    private readonly int _packets;
    private readonly OwnPrograms _own;

    public FileComparison(string folder, int packets, int passes)
    {
        _folder = folder;
        _packets = packets;
        _own = new OwnPrograms(folder, passes);
        Reference = _own.Pipeline(1);
        Reference2 = _own.Pipeline(2);
        Product = _own.Replay(1);
        Product2 = _own.Replay(2);
        Tools = new OtherTools(folder).Installed();
        All = [Reference, Product, Reference2, Product2, _own.Callback(), .. Tools];
    }

    /// <summary>What others are measured against.</summary>
    public Contender Reference { get; }

    /// <summary>The same with two threads.</summary>
    public Contender Reference2 { get; }

    /// <summary>The appliance with one worker.</summary>
    public Contender Product { get; }

    /// <summary>The appliance with two.</summary>
    public Contender Product2 { get; }

    /// <summary>Programs of others.</summary>
    public IReadOnlyList<Contender> Tools { get; }

    /// <summary>All programs in the order of their turns.</summary>
    public IReadOnlyList<Contender> All { get; }

    /// <summary>Compares over mixes; each round has every program count every mix.</summary>
    /// <exception cref="ComparisonException">A program fails, or counts something else than the others.</exception>
    public IReadOnlyList<MixResult> Run(IReadOnlyList<string> mixes, int rounds)
    {
        List<(MixResult Result, Counts Counts)> runs = [];
        foreach (string mix in mixes)
        {
            Console.Error.WriteLine($"{mix}: do all count the same?");
            runs.Add((new(mix, All.ToDictionary(contender => contender, _ => new List<Sample>())), RequireAgreement(mix)));
        }

        for (int round = 1; round <= rounds; round++)
        {
            foreach ((MixResult result, Counts counts) in runs)
            {
                RunOnce(result, counts, $"{result.Mix} {round}/{rounds}");
            }
        }

        return [.. runs.Select(run => run.Result)];
    }

    private void RunOnce(MixResult result, Counts counts, string progress)
    {
        foreach (Contender contender in All)
        {
            Sample sample = contender.Run(result.Mix);
            RequireTotals(contender, sample, counts);
            result.Samples[contender].Add(sample);
            Console.Error.WriteLine($"{progress} {contender.Name}: {sample.PerCpuSecond / 1e6:0.00} M/CPU-s");
        }
    }

    private Counts RequireAgreement(string mix)
    {
        Counts counts = _own.CountWithPipeline(mix, 1);
        counts.RequireEqual(_own.CountWithPipeline(mix, 2));
        counts.RequireEqual(_own.CountWithCallback(mix));
        counts.RequireEqual(_own.CountWithReplay(mix, 1));
        counts.RequireEqual(_own.CountWithReplay(mix, 2));
        return counts;
    }

    private void RequireTotals(Contender contender, Sample sample, Counts counts)
    {
        if (Tools.Contains(contender))
        {
            int expected = TrafficMix.All(_packets).First(mix => mix.Name.EndsWith("-short", StringComparison.Ordinal)).Packets;
            Require(contender, sample.Packets == expected, $"{sample.Packets} packets of {expected}");
            return;
        }

        long passes = sample.Packets / counts.Totals["packets"];
        bool right = sample.Packets == passes * counts.Totals["packets"] && sample.IpBytes == passes * counts.Totals["ip_bytes"];
        Require(contender, passes > 0 && right, $"{sample.Packets} packets, {sample.IpBytes} IP bytes in {passes} passes over {_folder}");
    }

    private static void Require(Contender contender, bool condition, string what)
    {
        if (!condition)
        {
            throw new ComparisonException($"{contender.Name} counts {what}, unlike the others");
        }
    }
}
