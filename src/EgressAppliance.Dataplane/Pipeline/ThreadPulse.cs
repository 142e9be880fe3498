namespace EgressAppliance.Dataplane.Pipeline;

/// <summary>The sign of life of one thread of the data path.</summary>
/// <param name="Thread">Name of the thread, which no other one of the pipeline has.</param>
/// <param name="Beats">Grows as long as the thread gets on with its work.</param>
/// <param name="Idle">The thread has nothing to do, or ended in order: it need not beat.</param>
public readonly record struct ThreadPulse(string Thread, long Beats, bool Idle);
