using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Tests.Bgp.Fuzz;

/// <summary>The fuzzer finds what is there to be found: targets with planted faults.</summary>
public sealed class FuzzRunnerTests
{
    private static readonly Corpus Corpus = new([]);

    [Fact]
    public void Violation_is_reported_once_and_made_short()
    {
        var target = new Planted(input => Check.That(!input.Contains((byte)0x7F), $"0x7F at {input.IndexOf((byte)0x7F)}"));
        FuzzReport report = new FuzzRunner([target], Corpus, new FuzzOptions(1, 5_000)).Run();

        Finding finding = Assert.Single(report.Findings);
        Assert.Contains((byte)0x7F, finding.Input);
        Assert.InRange(finding.Input.Length, 1, 2);
        Assert.True(report.Targets[0].Verdicts["FINDING"] > 1);
    }

    [Fact]
    public void Exception_of_any_kind_is_a_finding()
    {
        var target = new Planted(input => _ = input[100..].ToArray());
        FuzzReport report = new FuzzRunner([target], Corpus, new FuzzOptions(1, 10)).Run();

        Assert.Contains(nameof(ArgumentOutOfRangeException), Assert.Single(report.Findings).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Allocation_that_an_input_only_claims_is_a_finding()
    {
        var target = new Planted(_ => GC.KeepAlive(new byte[65 << 20]));
        FuzzReport report = new FuzzRunner([target], Corpus, new FuzzOptions(1, 1)).Run();

        Assert.Contains("allocated", Assert.Single(report.Findings).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Finding_is_made_again_by_its_number_alone()
    {
        var target = new Planted(input => Check.That(Digest.Of(input) % 400 != 7, $"the one in four hundred"));
        Finding finding = Assert.Single(new FuzzRunner([target], Corpus, new FuzzOptions(3, 5_000)).Run().Findings);
        byte[] input = new FuzzRunner([target], Corpus, new FuzzOptions(3, 1)).MakeInput(target, finding.Iteration).ToArray();

        Assert.NotNull(FuzzRunner.Replay(target, input));
        FuzzReport again = new FuzzRunner([target], Corpus, new FuzzOptions(3, 1, First: finding.Iteration)).Run();
        Assert.Equal(finding.Iteration, Assert.Single(again.Findings).Iteration);
    }

    [Fact]
    public void Finding_is_kept_in_a_file_that_can_be_replayed()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string path = new Finding("update", 1, 2, "something\nat line 3", [1, 2, 0xFF]).Save(folder);
            InputFile read = InputFile.Read(path);

            Assert.Equal("update", read.Target);
            Assert.Equal([1, 2, 0xFF], read.Input);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Watchdog_tells_of_an_input_that_never_ends()
    {
        using var told = new ManualResetEventSlim();
        Finding? hang = null;
        using var watchdog = new Watchdog(1, warmUp: 0, finding =>
        {
            hang = finding;
            told.Set();
        });
        var target = new Planted(_ =>
        {
            while (!told.IsSet)
            {
                Thread.SpinWait(1000);
            }
        });
        _ = new FuzzRunner([target], Corpus, new FuzzOptions(1, 1)).Run(watchdog);

        Assert.NotNull(hang);
        Assert.StartsWith("hang", hang.Text, StringComparison.Ordinal);
        Assert.Equal("planted", hang.Target);
    }

    [Fact]
    public void Watchdog_tells_of_memory_that_is_kept()
    {
        var kept = new List<byte[]>();
        Finding? growth = null;
        // On a slow machine it may also call this test itself a hang.
        using var watchdog = new Watchdog(1, warmUp: 0, finding => growth = finding.Text.StartsWith("memory", StringComparison.Ordinal) ? finding : growth);
        watchdog.Begin(new Planted(_ => { }), 0, new InputBuffer());
        watchdog.Sample();
        Assert.Null(growth);

        kept.Add(new byte[Watchdog.HeapLimit * 4]);
        watchdog.Begin(new Planted(_ => { }), 1, new InputBuffer());
        watchdog.Sample();
        watchdog.Judge();

        Assert.StartsWith("memory grew", growth!.Text, StringComparison.Ordinal);
        Assert.Single(kept);
    }

    [Fact]
    public void Random_numbers_are_those_of_xoshiro256starstar()
    {
        // Seed 0 through splitmix64, as the authors' reference code gives it.
        var random = new FuzzRandom(0);

        Assert.Equal([0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0], new[] { random.Next(), random.Next(), random.Next() });
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(random.Between(-3, 3), -3, 3));
    }

    private delegate void Act(ReadOnlySpan<byte> input);

    private sealed class Planted(Act act) : IFuzzTarget
    {
        public string Name => "planted";

        public string Description => "a planted fault";

        public int Weight => 1;

        public void Make(InputBuffer input, Mutator mutator)
        {
            Span<byte> octets = stackalloc byte[40];
            mutator.Random.Fill(octets);
            input.Append(octets);
        }

        public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
        {
            act(input);
            return new("accepted", Digest.Of(input));
        }
    }
}
