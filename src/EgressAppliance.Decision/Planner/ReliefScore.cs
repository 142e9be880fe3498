namespace EgressAppliance.Decision.Planner;

/// <summary>How good a set of moves is; smaller is better, the first difference decides.</summary>
/// <param name="Residual">Overload that remains, bit/s.</param>
/// <param name="Changes">Moves and overrides given back.</param>
/// <param name="NativeMoves">Of these, prefixes that were on their native link: what we brought goes first.</param>
/// <param name="MovedBps">Traffic that changes its link.</param>
internal readonly record struct ReliefScore(long Residual, int Changes, int NativeMoves, long MovedBps) : IComparable<ReliefScore>
{
    public int CompareTo(ReliefScore other)
    {
        int c = Residual.CompareTo(other.Residual);
        c = c != 0 ? c : Changes.CompareTo(other.Changes);
        c = c != 0 ? c : NativeMoves.CompareTo(other.NativeMoves);
        return c != 0 ? c : MovedBps.CompareTo(other.MovedBps);
    }
}
