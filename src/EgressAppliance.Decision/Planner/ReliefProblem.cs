namespace EgressAppliance.Decision.Planner;

/// <summary>A prefix that may be moved off an overloaded link.</summary>
/// <param name="Demand">Index of its demand.</param>
/// <param name="Source">The overloaded link it is on.</param>
/// <param name="Rate">Its rate, bit/s, at least 1.</param>
/// <param name="FirstOption">Index of the best of the links where it can go, in <see cref="ReliefProblem.Options"/>.</param>
/// <param name="OptionCount">How many these are, one after another; at least one.</param>
/// <param name="Override">It is on its link because of us.</param>
/// <param name="Class">Its class, 0–9.</param>
internal readonly record struct ReliefItem(int Demand, int Source, long Rate, int FirstOption, int OptionCount, bool Override, byte Class);

/// <summary>A link that a prefix can go to.</summary>
/// <param name="Link">The link.</param>
/// <param name="Release">It is the native link: the override is given back rather than moved.</param>
/// <param name="Rank">Place in the order of a policy that prefers links, 0 for the best; 0 without such a policy.</param>
internal readonly record struct ReliefOption(int Link, bool Release, int Rank = 0);

/// <summary>
/// Which prefixes go where so that overloaded links (with a need) are relieved into the room of others: sources and targets are disjoint.
/// </summary>
internal sealed class ReliefProblem
{
    private int[][]? _bySource;
    private int? _leastClass;

    /// <summary>Excess of each link over its trigger, 0 for links that are not sources.</summary>
    public required long[] Need { get; init; }

    /// <summary>Room of each link under its ceiling, 0 for links that are not targets.</summary>
    public required long[] Room { get; init; }

    /// <summary>Sorted by rate, largest first, then by prefix.</summary>
    public required List<ReliefItem> Items { get; init; }

    /// <summary>Where the items can go: of each best first, each with room for it.</summary>
    public required List<ReliefOption> Options { get; init; }

    /// <summary>Indices into <see cref="Items"/> by source, in their order.</summary>
    public int[][] BySource => _bySource ??= Group();

    /// <summary>Lowest class of the items.</summary>
    public int LeastClass => _leastClass ??= Items.Count == 0 ? 0 : Items.Min(item => item.Class);

    /// <summary>Most moves.</summary>
    public required int MaxMoves { get; init; }

    /// <summary>Most overrides that may be added.</summary>
    public required int MaxNewOverrides { get; init; }

    /// <summary>Most rate that moves may carry.</summary>
    public required long MaxMovedBps { get; init; }

    /// <summary>Most rate that new overrides may carry.</summary>
    public required long MaxNewOverrideBps { get; init; }

    /// <summary>One of the links where an item can go, 0 for the best.</summary>
    public ReliefOption Option(in ReliefItem item, int option) => Options[item.FirstOption + option];

    /// <summary>The same problem without caps.</summary>
    public ReliefProblem Uncapped() => new()
    {
        Need = Need,
        Room = Room,
        Items = Items,
        Options = Options,
        MaxMoves = int.MaxValue,
        MaxNewOverrides = int.MaxValue,
        MaxMovedBps = long.MaxValue,
        MaxNewOverrideBps = long.MaxValue,
    };

    private int[][] Group()
    {
        int[] counts = new int[Need.Length];
        foreach (ReliefItem item in Items)
        {
            counts[item.Source]++;
        }

        int[][] groups = [.. counts.Select(count => new int[count])];
        Array.Clear(counts);
        for (int i = 0; i < Items.Count; i++)
        {
            int source = Items[i].Source;
            groups[source][counts[source]++] = i;
        }

        return groups;
    }
}
