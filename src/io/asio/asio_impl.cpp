// Boost.Asio is compiled once here (BOOST_ASIO_SEPARATE_COMPILATION): its headers then cost every
// other file half of the time to compile.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
