namespace EgressAppliance.Cluster.Store;

/// <summary>An order of an operator to withdraw everything, given at a controller of a site for the one that leads.</summary>
/// <param name="Id">Its own number.</param>
/// <param name="Box">Where it was given.</param>
public sealed record SiteStop(Guid Id, string Box);

/// <summary>
/// Orders to withdraw everything, which wait for a leader of the site. They carry no token: whoever leads obeys, and an order too many costs no more than plain BGP does. The latest of each box is kept.
/// </summary>
public interface IStopStore
{
    /// <summary>Leaves an order. The same one may be left twice.</summary>
    /// <exception cref="SiteDatabaseException">It is not known whether it was left.</exception>
    Task LeaveStopAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>The orders that wait.</summary>
    /// <exception cref="SiteDatabaseException">They cannot be read.</exception>
    Task<IReadOnlyList<SiteStop>> ReadStopsAsync(CancellationToken cancellationToken);

    /// <summary>Takes orders away, after the state that obeys them was saved.</summary>
    /// <exception cref="SiteDatabaseException">It is not known whether they are gone.</exception>
    Task DropStopsAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken);
}
