using EgressAppliance.Decision.Control;
using EgressAppliance.Host.Http;
using EgressAppliance.Host.RouteFeed;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Steering;

/// <summary>
/// Answers questions about the largest prefixes of a cycle. What the routes say of a prefix is looked up only for those that are shown, or where the
/// origin AS is asked for, and once a cycle. Any thread.
/// </summary>
public sealed class PrefixView(StateBuilder builder, LinkDirectory links)
{
    private volatile Rows? _rows;

    /// <summary>The prefixes that a query asks for.</summary>
    public PrefixPage Find(CycleResult cycle, PrefixQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        Rows rows = RowsOf(cycle);
        int from = rows.After(query.After);
        IEnumerable<int> found = Enumerable.Range(from, rows.Count - from);
        if (query.Link is { } link)
        {
            LinkId id = links.ByName(link)?.Id ?? LinkId.None;
            found = found.Where(i => rows.Rate(i).Link == id);
        }

        if (query.Text is { } text)
        {
            found = IpAddr.TryParse(text, out IpAddr address)
                ? found.Where(i => rows.Rate(i).Prefix.Contains(address))
                : found.Where(i => rows.Rate(i).Prefix.ToString().Contains(text, StringComparison.OrdinalIgnoreCase));
        }

        if (query.OriginAs is { } origin)
        {
            found = found.Where(i => rows[i].OriginAs == origin);
        }

        // One more than asked for, to know whether there are more.
        int[] page = [.. found.Take(query.Top + 1)];
        return new PrefixPage([.. page.Take(query.Top).Select(i => rows[i])], page.Length > query.Top);
    }

    /// <summary>The matrix of the largest prefixes.</summary>
    public MatrixDto Matrix(CycleResult cycle, int top)
    {
        ArgumentNullException.ThrowIfNull(cycle);
        Rows rows = RowsOf(cycle);
        return new MatrixDto(
            cycle.State.Status.Time, links.Names,
            [
                .. Enumerable.Range(0, Math.Min(top, rows.Count)).Select(i =>
                {
                    PrefixDto p = rows[i];
                    return new MatrixRowDto(p.Prefix, p.OriginAs, p.RateBps, p.NativeLink, p.Override, Cells(p, builder.LinksOf(rows.Rate(i).Prefix)));
                }),
            ]);
    }

    private static MatrixCellDto[] Cells(PrefixDto prefix, IReadOnlyList<string> paths) =>
    [
        .. paths.Select(l => new MatrixCellDto(l, l == prefix.Link ? prefix.RateBps : 0, true)),

        // By a more specific route, by one that the router does not show us, or by one that went a moment ago.
        .. prefix.Link is { } link && !paths.Contains(link) ? [new MatrixCellDto(link, prefix.RateBps, false)] : Array.Empty<MatrixCellDto>(),
    ];

    private Rows RowsOf(CycleResult cycle)
    {
        if (_rows is not { } rows || !ReferenceEquals(rows.Cycle, cycle))
        {
            _rows = rows = new Rows(cycle, builder);
        }

        return rows;
    }

    /// <summary>The prefixes of a cycle, by rate, as documents when they are first asked for.</summary>
    private sealed class Rows(CycleResult cycle, StateBuilder builder)
    {
        private readonly PrefixDto?[] _made = new PrefixDto?[cycle.Rates.Sorted.Count];
        private readonly HashSet<string> _overridden = [.. cycle.State.Overrides.Where(o => o.State != "proposed").Select(o => o.Prefix)];

        public CycleResult Cycle => cycle;

        public int Count => _made.Length;

        public PrefixDto this[int index]
        {
            get
            {
                // Two readers may both make it; they make the same.
                if (Volatile.Read(ref _made[index]) is { } made)
                {
                    return made;
                }

                PrefixDto dto = builder.Prefix(cycle.Rates.Sorted[index], cycle.Links, [], DecisionMode.Observe);
                dto = dto with { Override = _overridden.Contains(dto.Prefix) };
                Volatile.Write(ref _made[index], dto);
                return dto;
            }
        }

        public PrefixRate Rate(int index) => cycle.Rates.Sorted[index];

        /// <summary>Where to go on: behind the prefix itself if it still has that rate, else behind all that are not smaller.</summary>
        public int After(PrefixCursor? cursor)
        {
            if (cursor is null)
            {
                return 0;
            }

            int at = 0;
            for (; at < Count && Rate(at).RateBps >= cursor.RateBps; at++)
            {
                if (Rate(at).RateBps == cursor.RateBps && Rate(at).Prefix.ToString() == cursor.Prefix)
                {
                    return at + 1;
                }
            }

            return at;
        }
    }
}
