namespace EgressAppliance.Decision.Planner;

/// <summary>How good a set of moves is; smaller is better, the first difference decides.</summary>
/// <param name="Residual">Overload that remains, bit/s.</param>
/// <param name="Changes">Moves and overrides given back.</param>
/// <param name="Classes">Sum of <see cref="WeightOf"/> of what is changed: low classes go first.</param>
/// <param name="Ranks">Sum of the places of their links in the order that policies prefer.</param>
/// <param name="NativeMoves">Of these, prefixes that were on their native link: what we brought goes first.</param>
/// <param name="MovedBps">Traffic that changes its link.</param>
internal readonly record struct ReliefScore(long Residual, int Changes, long Classes, long Ranks, int NativeMoves, long MovedBps) : IComparable<ReliefScore>
{
    // One of a class outweighs 31 of the class below. Twice the prefixes that a snapshot has in practice, all of the highest class, still sum without overflow.
    private const int BitsPerClass = 5;

    /// <summary>What a change of a prefix of this class weighs: of two plans with as many changes, the one with fewer of the highest class is better, then of the next, and so on.</summary>
    public static long WeightOf(int ofClass) => 1L << (BitsPerClass * ofClass);

    public int CompareTo(ReliefScore other)
    {
        int c = Residual.CompareTo(other.Residual);
        c = c != 0 ? c : Changes.CompareTo(other.Changes);
        c = c != 0 ? c : Classes.CompareTo(other.Classes);
        c = c != 0 ? c : Ranks.CompareTo(other.Ranks);
        c = c != 0 ? c : NativeMoves.CompareTo(other.NativeMoves);
        return c != 0 ? c : MovedBps.CompareTo(other.MovedBps);
    }
}
