using EgressAppliance.Fuzz.Running;
using EgressAppliance.Fuzz.Targets;

namespace EgressAppliance.Tests.Bgp.Fuzz;

/// <summary>A short run of every fuzz target; <c>make fuzz</c> runs as long as one likes (docs/testing.md).</summary>
public sealed class FuzzTargetTests
{
    private const ulong Seed = 20_260_101;
    private static readonly Corpus Corpus = new([TestData.Path("bgp"), TestData.Path("bgp", "mrt"), TestData.Path("bmp")]);

    public static TheoryData<string> Targets() => [.. FuzzTargets.All.Select(t => t.Name)];

    public static TheoryData<string> KeptInputs() => [.. Directory.EnumerateFiles(TestData.Path("bgp", "fuzz"), "*.hex").Select(p => Path.GetFileName(p)).Order()];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Target_holds_its_promises_for_many_inputs(string name)
    {
        IFuzzTarget target = FuzzTargets.Find(name)!;
        // Those that take a turn out of many in a round are the slow ones.
        FuzzReport report = Run([target], target.Weight > 1 ? 20_000 : 5_000);

        Assert.True(report.Findings.Count == 0, string.Join(Environment.NewLine, report.Findings));
        // Both outcomes, or the inputs are all of one kind and prove little.
        Assert.True(report.Targets[0].Verdicts.Count >= 2, string.Join(' ', report.Targets[0].Verdicts));
    }

    [Fact]
    public void Update_inputs_meet_every_consequence_of_rfc_7606()
    {
        FuzzReport report = Run([FuzzTargets.Find("update")!], 5_000);

        string[] wanted = ["accepted", "attribute-discard", "treat-as-withdraw", "end of rib", "reset 3/1", "reset 3/2", "reset 3/9", "reset 3/10"];
        Assert.All(wanted, w => Assert.Contains(w, report.Targets[0].Verdicts.Keys));
    }

    [Fact]
    public void Session_inputs_reach_established_and_its_errors()
    {
        FuzzReport report = Run([FuzzTargets.Find("session")!], 2_000);

        string[] wanted = ["Established", "reset 1/1", "reset 1/2", "reset 2/2", "reset 3/1", "reset 3/10"];
        Assert.All(wanted, w => Assert.Contains(w, report.Targets[0].Verdicts.Keys));
    }

    [Fact]
    public void Same_seed_gives_the_same_hash_and_another_seed_another()
    {
        ulong hash = new FuzzRunner(FuzzTargets.All, Corpus, new FuzzOptions(1, 2_000)).Run().Hash;

        Assert.Equal(hash, new FuzzRunner(FuzzTargets.All, Corpus, new FuzzOptions(1, 2_000)).Run().Hash);
        Assert.NotEqual(hash, new FuzzRunner(FuzzTargets.All, Corpus, new FuzzOptions(2, 2_000)).Run().Hash);
    }

    [Theory]
    [MemberData(nameof(KeptInputs))]
    public void Kept_input_finds_nothing_any_more(string file)
    {
        InputFile input = InputFile.Read(TestData.Path("bgp", "fuzz", file));

        Assert.Null(FuzzRunner.Replay(FuzzTargets.Find(input.Target)!, input.Input));
    }

    private static FuzzReport Run(IReadOnlyList<IFuzzTarget> targets, long count) => new FuzzRunner(targets, Corpus, new FuzzOptions(Seed, count)).Run();
}
