using System.Diagnostics;
using EgressAppliance.Fuzz.Mutation;

namespace EgressAppliance.Fuzz.Running;

/// <summary>What to run.</summary>
/// <param name="Seed">Start of all chance.</param>
/// <param name="Count">Inputs over all targets, or 0 for no limit.</param>
/// <param name="Duration">Time, or zero for no limit.</param>
/// <param name="First">Number of the first input of each target.</param>
public sealed record FuzzOptions(ulong Seed, long Count, TimeSpan Duration = default, long First = 0);

// The fuzzer in short. Targets take turns by weight. Input n of a target is made from random numbers whose seed is (seed, target, n) and nothing else, so any
// input can be made again by itself and targets do not disturb each other. The target feeds it to the code under test, checks its post-conditions
// and returns a verdict and a digest of all it saw. All digests together are the run's hash: two runs with the same seed, corpus and number of inputs must end
// with the same one, or something depends on what it should not.
//
//   IFuzzTarget   what is fed and what must hold               Corpus    real messages that inputs begin with
//   Mutator       changes octets, LooseUpdate whole attributes  Watchdog  ends a run that hangs or grows

/// <summary>Runs targets, on the caller's thread.</summary>
public sealed class FuzzRunner
{
    private const int MaxFindings = 10;

    /// <summary>Octets that may be allocated for one input, checks included: lengths that an input only claims must not turn into memory.</summary>
    private const long AllocationLimit = 64L << 20;

    private readonly IReadOnlyList<IFuzzTarget> _targets;
    private readonly FuzzOptions _options;
    private readonly Mutator _mutator;
    private readonly InputBuffer _input = new();
    private readonly Dictionary<string, TargetCounts> _counts = [];
    private readonly Dictionary<string, Finding> _findings = [];
    private Watchdog? _watchdog;
    private Digest _digest;

    /// <summary>A run that has not begun.</summary>
    public FuzzRunner(IReadOnlyList<IFuzzTarget> targets, Corpus corpus, FuzzOptions options)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfZero(targets.Count);
        _targets = targets;
        _options = options;
        _mutator = new Mutator(corpus);
    }

    /// <summary>Told of each finding as it is made.</summary>
    public event Action<Finding>? Found;

    /// <summary>Told of each input before it is fed.</summary>
    public event Action<IFuzzTarget, long>? Next;

    /// <summary>Ends on the last input, after so long, or when ten different findings were made; a watchdog, if given, is told of each input.</summary>
    public FuzzReport Run(Watchdog? watchdog = null)
    {
        _watchdog = watchdog;
        IFuzzTarget[] turns = [.. _targets.SelectMany(t => Enumerable.Repeat(t, t.Weight))];
        for (int i = 0; i < turns.Length; i++)
        {
            _counts.TryAdd(turns[i].Name, new(turns[i].Name, _options.First));
        }

        long started = Stopwatch.GetTimestamp();
        long done = 0;
        bool last = false;
        while (!last && _findings.Count < MaxFindings)
        {
            foreach (IFuzzTarget target in turns)
            {
                if (_options.Count > 0 && done == _options.Count)
                {
                    last = true;
                    break;
                }

                TargetCounts counts = _counts[target.Name];
                long iteration = counts.Next++;
                MakeInput(target, iteration);
                watchdog?.Begin(target, iteration, _input);
                Next?.Invoke(target, iteration);
                FuzzOutcome outcome = Feed(target, iteration);
                counts.Add(outcome.Verdict);
                _digest.Add(outcome.Digest);
                done++;
            }

            watchdog?.CheckMemory(done);
            last |= _options.Duration > TimeSpan.Zero && Stopwatch.GetElapsedTime(started) >= _options.Duration;
        }

        return new([.. _counts.Values], [.. _findings.Values], _digest.Value, done, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Feeds one input that was kept. Returns the finding, or null.</summary>
    public static Finding? Replay(IFuzzTarget target, byte[] input)
    {
        ArgumentNullException.ThrowIfNull(target);
        return TryFeed(target, input, out _, out string? text) ? null : new(target.Name, 0, -1, text!, input);
    }

    /// <summary>Makes input <paramref name="iteration"/> of a target as a run does.</summary>
    public ReadOnlySpan<byte> MakeInput(IFuzzTarget target, long iteration)
    {
        ArgumentNullException.ThrowIfNull(target);
        Digest seed = default;
        seed.Add(_options.Seed);
        seed.Add(target.Name);
        seed.Add(iteration);
        _mutator.Random.Seed(seed.Value);
        _input.Clear();
        target.Make(_input, _mutator);
        return _input.Span;
    }

    private FuzzOutcome Feed(IFuzzTarget target, long iteration)
    {
        if (TryFeed(target, _input.Span, out FuzzOutcome outcome, out string? text))
        {
            return outcome;
        }

        var finding = new Finding(target.Name, _options.Seed, iteration, text!, _input.Span.ToArray());
        if (!_findings.ContainsKey(finding.Key))
        {
            finding = finding with { Input = Shorten(target, finding) };
            _findings.Add(finding.Key, finding);
            Found?.Invoke(finding);
        }

        return new("FINDING", Digest.Of(finding.Key));
    }

    private static bool TryFeed(IFuzzTarget target, ReadOnlySpan<byte> input, out FuzzOutcome outcome, out string? text)
    {
        text = null;
        outcome = default;
        try
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            outcome = target.Fuzz(input);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Check.That(allocated <= AllocationLimit, $"{allocated} octets were allocated for an input of {input.Length}");
            return true;
        }
        catch (FuzzViolationException violation)
        {
            text = violation.Message;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            text = e.ToString();
        }

        return false;
    }

    /// <summary>Takes pieces out for as long as the same finding remains: large ones first.</summary>
    private byte[] Shorten(IFuzzTarget target, Finding finding)
    {
        byte[] best = finding.Input;
        int tries = 5000;
        for (int piece = Math.Max(1, best.Length / 2); piece > 0; piece /= 2)
        {
            for (int at = 1; at + piece <= best.Length && tries-- > 0;)
            {
                _watchdog?.Begin(target, finding.Iteration, _input);
                byte[] shorter = [.. best[..at], .. best[(at + piece)..]];
                if (!TryFeed(target, shorter, out _, out string? text) && (finding with { Text = text! }).Key == finding.Key)
                {
                    best = shorter;
                }
                else
                {
                    at += piece;
                }
            }
        }

        return best;
    }
}

/// <summary>What the inputs of one target led to.</summary>
public sealed class TargetCounts(string name, long first)
{
    private readonly Dictionary<string, long> _verdicts = [];

    /// <summary>The target's name.</summary>
    public string Name { get; } = name;

    /// <summary>Number of the next input.</summary>
    internal long Next { get; set; } = first;

    /// <summary>Inputs fed.</summary>
    public long Inputs { get; private set; }

    /// <summary>How often each verdict came.</summary>
    public IReadOnlyDictionary<string, long> Verdicts => _verdicts;

    internal void Add(string verdict)
    {
        Inputs++;
        System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_verdicts, verdict, out _)++;
    }
}

/// <summary>The outcome of a run.</summary>
/// <param name="Targets">Counts by target.</param>
/// <param name="Findings">What must not be: none, if all is well.</param>
/// <param name="Hash">Hash over all verdicts and digests.</param>
/// <param name="Inputs">Inputs fed.</param>
/// <param name="Elapsed">Time taken.</param>
public sealed record FuzzReport(IReadOnlyList<TargetCounts> Targets, IReadOnlyList<Finding> Findings, ulong Hash, long Inputs, TimeSpan Elapsed);
